// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "dd/image/image.h"

namespace dd {

/// The bytes of an 8-bit RGB PNG file; lossless, equal images give equal bytes. Fast rather than
/// small. The image must not be empty. Thread-safe.
std::string encode_png(const Image& image);

/// Writes a PNG atomically and makes missing parent folders. Throws Error(kResource).
void write_png(const std::filesystem::path& path, const Image& image);

/// Images side by side on white, row by row: `columns` a row, each pixel drawn `scale` times as
/// large, `gap` pixels between cells. Cells have the size of the largest image; smaller ones sit at
/// the top left of theirs. At least one image, columns and scale at least 1.
Image contact_sheet(std::span<const Image> images, int columns, int scale = 1, int gap = 2);

}  // namespace dd
