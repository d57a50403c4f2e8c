// SPDX-License-Identifier: Apache-2.0
#include "dd/image/read.h"

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/raw_image.h"

namespace dd {
namespace detail {

void fail_damaged(const std::string& label, const std::string& why) {
  fail_input(cat("cannot decode ", label, ": ", why, "; replace or remove this image"));
}

void check_claimed_size(std::uint64_t width, std::uint64_t height, const std::string& label,
                        const ReadOptions& options) {
  if (width == 0 || height == 0) fail_damaged(label, "it has no pixels");
  // Both sides stay below 2^31 in all three formats, so the product cannot overflow.
  if (width * height > static_cast<std::uint64_t>(options.max_pixels)) {
    fail_damaged(label, cat("it claims ", width, "x", height, " pixels, more than the limit of ",
                            options.max_pixels));
  }
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at++]);
  return value;
}

std::uint32_t little_endian32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

namespace {

RawImage decode_raw(std::string_view bytes, const std::string& label, const ReadOptions& options) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return decode_png(bytes, label, options);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return decode_jpeg(bytes, label, options);
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv) {
    return decode_webp(bytes, label, options);
  }
  fail_damaged(label, bytes.empty() ? "it is empty" : "it is neither PNG, JPEG nor WebP");
}

// Drops a fourth channel, or lays the picture over white by it.
Image to_rgb(RawImage raw, bool over_white) {
  Image image{raw.width, raw.height, {}};
  if (raw.channels == 3) {
    image.rgb = std::move(raw.pixels);
    return image;
  }
  image.rgb.resize(image.offset(0, raw.height));
  std::uint8_t* out = image.rgb.data();
  for (std::size_t i = 0; i < raw.pixels.size(); i += 4) {
    const int alpha = over_white ? raw.pixels[i + 3] : 255;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const int mixed = raw.pixels[i + channel] * alpha + 255 * (255 - alpha);
      *out++ = static_cast<std::uint8_t>((mixed + 127) / 255);
    }
  }
  return image;
}

}  // namespace
}  // namespace detail

Image decode_image(std::string_view bytes, const std::string& label, const ReadOptions& options) {
  detail::RawImage raw = detail::decode_raw(bytes, label, options);
  const bool as_seen = !options.as_transformers;
  const int orientation = as_seen ? detail::exif_orientation(raw.exif) : 1;
  detail::convert_to_srgb(raw, as_seen);
  return detail::apply_orientation(
      detail::to_rgb(std::move(raw), as_seen || options.alpha_over_white), orientation);
}

Image read_image(const std::filesystem::path& path, const ReadOptions& options) {
  constexpr std::uintmax_t kMaxFile = std::uintmax_t{1} << 30;
  return decode_image(read_file(path, kMaxFile), path.string(), options);
}

}  // namespace dd
