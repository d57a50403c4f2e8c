// SPDX-License-Identifier: Apache-2.0
#include <turbojpeg.h>

#include <algorithm>
#include <map>
#include <memory>

#include "dd/core/error.h"
#include "dd/image/raw_image.h"

namespace dd::detail {
namespace {

using namespace std::string_view_literals;

// What lies before the first scan, as TurboJPEG's interface does not give it out.
struct JpegHeader {
  int width = 0;
  int height = 0;
  int components = 0;
  bool adobe = false;  ///< Adobe writes CMYK inverted
  std::string exif{};
  std::map<int, std::string> profile_parts{};  ///< by number, 1 …
  int profile_count = 0;
};

bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

void read_segment(int marker, std::string_view body, JpegHeader& header, const std::string& label) {
  if (is_frame(marker)) {
    if (body.size() < 6) fail_damaged(label, "damaged JPEG (frame header too short)");
    header.height = static_cast<int>(big_endian(body, 1, 2));
    header.width = static_cast<int>(big_endian(body, 3, 2));
    header.components = static_cast<int>(big_endian(body, 5, 1));
  } else if (marker == 0xE1 && body.starts_with("Exif\0\0"sv) && header.exif.empty()) {
    header.exif = body.substr(6);
  } else if (marker == 0xE2 && body.starts_with("ICC_PROFILE\0"sv) && body.size() > 14) {
    header.profile_parts.emplace(big_endian(body, 12, 1), body.substr(14));
    header.profile_count = static_cast<int>(big_endian(body, 13, 1));
  } else if (marker == 0xEE && body.starts_with("Adobe"sv)) {
    header.adobe = true;
  }
}

// Walks the segments (ITU T.81, annex B) up to the first scan.
JpegHeader read_header(std::string_view bytes, const std::string& label) {
  JpegHeader header;
  std::size_t at = 2;
  while (true) {
    while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) != 0xFF) ++at;
    while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) == 0xFF) ++at;
    if (at + 3 > bytes.size()) fail_damaged(label, "truncated JPEG (it ends before the picture)");
    const int marker = static_cast<int>(big_endian(bytes, at, 1));
    ++at;
    if (marker == 0xDA) break;
    if (marker == 0xD9) fail_damaged(label, "damaged JPEG (it holds no picture)");
    if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;
    const std::size_t length = big_endian(bytes, at, 2);
    if (length < 2 || length > bytes.size() - at) {
      fail_damaged(label, "truncated JPEG (a segment goes beyond the end)");
    }
    read_segment(marker, bytes.substr(at + 2, length - 2), header, label);
    at += length;
  }
  if (header.components == 0) fail_damaged(label, "damaged JPEG (no frame header)");
  return header;
}

// Large profiles are spread over segments; an incomplete one counts as none.
std::string join_profile(const JpegHeader& header) {
  if (std::ssize(header.profile_parts) != header.profile_count) return {};
  std::string profile;
  int expected = 1;
  for (const auto& [number, part] : header.profile_parts) {
    if (number != expected++) return {};
    profile += part;
  }
  return profile;
}

// The limit on the size was checked by our own walk; what libjpeg makes of a file with several
// frame headers must be the same.
void check_same_size(tjhandle handle, std::string_view bytes, const JpegHeader& header,
                     const std::string& label) {
  int width = 0, height = 0, sampling = 0, colours = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const int code =
      tjDecompressHeader3(handle, data, bytes.size(), &width, &height, &sampling, &colours);
  // Without this, rare kinds of sub-sampling, which decode well, would be errors here.
  if (code != 0 && width <= 0)
    fail_damaged(label, cat("damaged JPEG (", tjGetErrorStr2(handle), ")"));
  if (width != header.width || height != header.height)
    fail_damaged(label, "damaged JPEG (its frame headers contradict each other)");
}

// libjpeg goes on after damage, fills the rest with grey and warns. Every warning is refused here
// but one: stray bytes before the end marker, which cameras write and which nothing can follow.
bool is_harmless(std::string_view warning) {
  return warning.find("extraneous bytes before marker 0xd9") != std::string_view::npos;
}

}  // namespace

RawImage decode_jpeg(std::string_view bytes, const std::string& label, const ReadOptions& options) {
  const JpegHeader header = read_header(bytes, label);
  check_claimed_size(static_cast<std::uint64_t>(header.width),
                     static_cast<std::uint64_t>(header.height), label, options);
  const std::unique_ptr<void, decltype(&tjDestroy)> handle(tjInitDecompress(), &tjDestroy);
  if (!handle) fail_resource(cat("out of memory while decoding ", label));
  check_same_size(handle.get(), bytes, header, label);

  RawImage image{header.width, header.height};
  image.cmyk = header.components == 4;
  image.grey = header.components == 1;
  image.channels = image.cmyk ? 4 : 3;
  image.exif = header.exif;
  image.profile = join_profile(header);
  image.pixels.resize(static_cast<std::size_t>(image.width) *
                      static_cast<std::size_t>(image.height) *
                      static_cast<std::size_t>(image.channels));

  const int code =
      tjDecompress2(handle.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), image.pixels.data(), image.width, 0, image.height,
                    image.cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (code != 0) {
    const std::string text = tjGetErrorStr2(handle.get());
    if (tjGetErrorCode(handle.get()) != TJERR_WARNING || !is_harmless(text)) {
      fail_damaged(label, cat("truncated or damaged JPEG (", text, ")"));
    }
  }
  if (image.cmyk && header.adobe) {
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
  }
  return image;
}

}  // namespace dd::detail
