// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>

#include "dd/core/error.h"
#include "dd/image/raw_image.h"

namespace dd::detail {
namespace {

// The body of the first chunk of this name in the RIFF container; empty when there is none.
std::string find_chunk(std::string_view bytes, std::string_view name, const std::string& label) {
  std::size_t at = 12;
  while (bytes.size() - at >= 8) {
    const std::size_t length = little_endian32(bytes, at + 4);
    if (length > bytes.size() - at - 8) fail_damaged(label, "truncated WebP (a chunk is cut)");
    if (bytes.substr(at, 4) == name) return std::string(bytes.substr(at + 8, length));
    // Chunks of odd length are padded.
    at = std::min(bytes.size(), at + 8 + length + length % 2);
  }
  return {};
}

}  // namespace

RawImage decode_webp(std::string_view bytes, const std::string& label, const ReadOptions& options) {
  if (little_endian32(bytes, 4) > bytes.size() - 8) {
    fail_damaged(label, "truncated WebP (the file is shorter than its header says)");
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK) {
    fail_damaged(label, "damaged WebP (its header cannot be read)");
  }
  if (features.has_animation != 0) fail_damaged(label, "it is an animated WebP, not a picture");
  check_claimed_size(static_cast<std::uint64_t>(features.width),
                     static_cast<std::uint64_t>(features.height), label, options);

  RawImage image{features.width, features.height};
  image.channels = features.has_alpha != 0 ? 4 : 3;
  const int stride = image.width * image.channels;
  image.pixels.resize(static_cast<std::size_t>(stride) * static_cast<std::size_t>(image.height));
  const auto* decoded = (features.has_alpha != 0 ? WebPDecodeRGBAInto : WebPDecodeRGBInto)(
      data, bytes.size(), image.pixels.data(), image.pixels.size(), stride);
  if (decoded == nullptr) fail_damaged(label, "truncated or damaged WebP");

  image.profile = find_chunk(bytes, "ICCP", label);
  image.exif = find_chunk(bytes, "EXIF", label);
  return image;
}

}  // namespace dd::detail
