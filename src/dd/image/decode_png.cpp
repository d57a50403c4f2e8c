// SPDX-License-Identifier: Apache-2.0
#include <spng.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "dd/core/error.h"
#include "dd/image/raw_image.h"

namespace dd::detail {
namespace {

using Context = std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)>;

// Compressed chunks (profile, texts) may not grow beyond this.
constexpr std::size_t kChunkLimit = std::size_t{1} << 26;

void check(int code, const std::string& label) {
  if (code != SPNG_OK) fail_damaged(label, cat("damaged PNG (", spng_strerror(code), ")"));
}

std::vector<std::uint8_t> decode_pixels(spng_ctx* context, int format, int flags,
                                        const std::string& label) {
  std::size_t size = 0;
  check(spng_decoded_image_size(context, format, &size), label);
  std::vector<std::uint8_t> pixels(size);
  check(spng_decode_image(context, pixels.data(), pixels.size(), format, flags), label);
  return pixels;
}

// PIL's conversion of its 16-bit grey mode keeps values up to 255 and cuts the rest.
std::vector<std::uint8_t> clip_grey16(const std::vector<std::uint8_t>& pixels) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(pixels.size() / 2 * 3);
  for (std::size_t i = 0; i + 1 < pixels.size(); i += 2) {
    std::uint16_t value = 0;
    std::memcpy(&value, pixels.data() + i, 2);
    rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(std::min<int>(value, 255)));
  }
  return rgb;
}

}  // namespace

RawImage decode_png(std::string_view bytes, const std::string& label, const ReadOptions& options) {
  const Context context(spng_ctx_new(0), &spng_ctx_free);
  if (!context) fail_resource(cat("out of memory while decoding ", label));
  check(spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), label);
  check(spng_set_chunk_limits(context.get(), kChunkLimit, kChunkLimit), label);
  check(spng_set_png_buffer(context.get(), bytes.data(), bytes.size()), label);
  spng_ihdr header{};
  check(spng_get_ihdr(context.get(), &header), label);
  check_claimed_size(header.width, header.height, label, options);

  RawImage image{static_cast<int>(header.width), static_cast<int>(header.height)};
  image.grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
               header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  if (options.as_transformers && header.bit_depth == 16 &&
      header.color_type == SPNG_COLOR_TYPE_GRAYSCALE) {
    image.pixels = clip_grey16(decode_pixels(context.get(), SPNG_FMT_PNG, 0, label));
  } else {
    image.channels = 4;
    image.pixels = decode_pixels(context.get(), SPNG_FMT_RGBA8, SPNG_DECODE_TRNS, label);
  }
  // The rest of the file, up to its end mark with its constant check sum: a file cut behind the
  // pixels is damaged too.
  check(spng_decode_chunks(context.get()), label);
  if (bytes.rfind("IEND\xae\x42\x60\x82") == std::string_view::npos) {
    fail_damaged(label, "truncated PNG (its end is missing)");
  }

  spng_iccp profile{};
  if (spng_get_iccp(context.get(), &profile) == SPNG_OK) {
    image.profile.assign(profile.profile, profile.profile_len);
  }
  spng_exif exif{};
  if (spng_get_exif(context.get(), &exif) == SPNG_OK) image.exif.assign(exif.data, exif.length);
  return image;
}

}  // namespace dd::detail
