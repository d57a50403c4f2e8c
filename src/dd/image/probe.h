// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace dd {

/// What the first bytes of a picture say.
struct ImageHeader {
  std::string format;  ///< "PNG", "JPEG" or "WebP"
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Reads the header of a PNG, JPEG or WebP file and nothing else; the content decides, not the
/// name. Sizes are as stored, before EXIF turns the picture. Throws Error(kInput) naming the file
/// when it is missing, of another format, or its header is damaged. That the rest is sound is not
/// said.
ImageHeader probe_image(const std::filesystem::path& path);

/// Whether the file is there and ends as a PNG file does: one that was copied in part, or cut off
/// by a full disk, does not. Reads its last bytes alone.
bool ends_as_png(const std::filesystem::path& path);

}  // namespace dd
