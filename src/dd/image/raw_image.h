// SPDX-License-Identifier: Apache-2.0
// Between the decoders and read.cpp; not for other folders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dd/image/image.h"
#include "dd/image/read.h"

namespace dd::detail {

/// What a file holds before profile, alpha and orientation are applied.
struct RawImage {
  int width = 0;
  int height = 0;
  int channels = 3;  ///< 3 = RGB, 4 = RGB and alpha, or CMYK
  bool cmyk = false;
  bool grey = false;                   ///< the three colour channels are equal by construction
  std::vector<std::uint8_t> pixels{};  ///< HWC; ink of CMYK: 255 = full
  std::string profile{};               ///< embedded ICC profile, empty = none
  std::string exif{};                  ///< TIFF structure without the "Exif\0\0" before it
};

/// Each throws Error(kInput) naming `label`. The bytes begin with the format's signature.
RawImage decode_png(std::string_view bytes, const std::string& label, const ReadOptions& options);
RawImage decode_jpeg(std::string_view bytes, const std::string& label, const ReadOptions& options);
RawImage decode_webp(std::string_view bytes, const std::string& label, const ReadOptions& options);

[[noreturn]] void fail_damaged(const std::string& label, const std::string& why);

/// Error(kInput) unless 0 < width * height <= options.max_pixels.
void check_claimed_size(std::uint64_t width, std::uint64_t height, const std::string& label,
                        const ReadOptions& options);

/// Big- and little-endian numbers; the caller has checked the length.
std::uint32_t big_endian(std::string_view bytes, std::size_t at, int count);
std::uint32_t little_endian32(std::string_view bytes, std::size_t at);

/// Turns the colour channels into sRGB, by the profile where `use_profile` and it fits, CMYK
/// otherwise by the plain formula (1 − ink)(1 − black). Alpha is kept.
void convert_to_srgb(RawImage& image, bool use_profile);

/// EXIF orientation, 1 … 8; 1 when there is none.
int exif_orientation(const std::string& exif);

/// Turns and mirrors so that orientation `orientation` stands upright.
Image apply_orientation(Image image, int orientation);

}  // namespace dd::detail
