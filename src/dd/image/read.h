// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "dd/image/image.h"

namespace dd {

struct ReadOptions {
  /// false: the picture as a person sees it: embedded colour profile to sRGB, alpha over white,
  /// EXIF orientation applied. true: what PIL's `convert("RGB")`, and with it transformers, makes
  /// of the file: none of the three. For comparisons with Python only.
  bool as_transformers = false;
  /// With as_transformers: alpha over white all the same, as transformers 5 does where its image
  /// processor is given the picture unconverted.
  bool alpha_over_white = false;
  /// Width times height that a file may claim; checked before anything of that size is allocated.
  std::int64_t max_pixels = 100'000'000;
};

/// Reads a PNG, JPEG or WebP file; the content decides, not the name. 16-bit channels keep their
/// high byte. A colour profile that cannot be parsed or that does not fit the pixels is ignored, as
/// browsers do. Of an animated PNG the first picture counts; an animated WebP is refused. Throws
/// Error(kInput) naming the file when it is missing, of another format, larger than the limit,
/// truncated or damaged: never a partly decoded picture. Thread-safe.
Image read_image(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same from memory; `label` names the bytes in errors.
Image decode_image(std::string_view bytes, const std::string& label,
                   const ReadOptions& options = {});

}  // namespace dd
