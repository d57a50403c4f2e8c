// SPDX-License-Identifier: Apache-2.0
#include "dd/image/probe.h"

#include <webp/decode.h>

#include <array>
#include <fstream>
#include <string_view>

#include "dd/core/error.h"
#include "dd/image/raw_image.h"

namespace dd {
namespace {

using namespace std::string_view_literals;

/// Up to `count` bytes from `at` on.
std::string read_at(std::ifstream& in, std::uint64_t at, std::size_t count) {
  std::string bytes(count, '\0');
  in.clear();
  in.seekg(static_cast<std::streamoff>(at));
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  return bytes;
}

ImageHeader png_header(std::string_view front, const std::string& label) {
  constexpr std::size_t kEnd = 8 + 8 + 13;
  if (front.size() < kEnd || front.substr(12, 4) != "IHDR") {
    detail::fail_damaged(label, "its PNG header is damaged or cut off");
  }
  return {"PNG", detail::big_endian(front, 16, 4), detail::big_endian(front, 20, 4)};
}

/// Walks from marker to marker up to the frame header, which comes after profiles and previews.
ImageHeader jpeg_header(std::ifstream& in, const std::string& label) {
  std::uint64_t at = 2;
  for (int segments = 0; segments < 10000; ++segments) {
    const std::string head = read_at(in, at, 9);
    if (head.size() < 4 || head[0] != '\xff') break;
    const auto marker = static_cast<unsigned char>(head[1]);
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    const bool is_frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame && head.size() == 9) {
      return {"JPEG", detail::big_endian(head, 7, 2), detail::big_endian(head, 5, 2)};
    }
    const std::uint32_t length = detail::big_endian(head, 2, 2);
    if (marker == 0xda || marker == 0xd9 || length < 2) break;
    at += 2 + length;
  }
  detail::fail_damaged(label, "its JPEG header is damaged or cut off");
}

ImageHeader webp_header(std::string_view front, std::uint64_t size, const std::string& label) {
  if (detail::little_endian32(front, 4) > size - 8) {
    detail::fail_damaged(label, "truncated WebP (the file is shorter than its header says)");
  }
  WebPBitstreamFeatures features{};
  const auto* data = reinterpret_cast<const std::uint8_t*>(front.data());
  if (WebPGetFeatures(data, front.size(), &features) != VP8_STATUS_OK) {
    detail::fail_damaged(label, "its WebP header is damaged or cut off");
  }
  return {"WebP", features.width, features.height};
}

ImageHeader header_of(std::ifstream& in, std::uint64_t size, const std::string& label) {
  constexpr std::size_t kFront = 1 << 16;
  const std::string front = read_at(in, 0, kFront);
  if (front.starts_with("\x89PNG\r\n\x1a\n"sv)) return png_header(front, label);
  if (front.starts_with("\xff\xd8\xff"sv)) return jpeg_header(in, label);
  if (front.starts_with("RIFF"sv) && front.size() >= 12 && front.substr(8, 4) == "WEBP"sv) {
    return webp_header(front, size, label);
  }
  detail::fail_damaged(label, front.empty() ? "it is empty" : "it is neither PNG, JPEG nor WebP");
}

}  // namespace

ImageHeader probe_image(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) fail_input(cat("cannot read ", path.string(), "; check the path"));
  std::ifstream in(path, std::ios::binary);
  if (!in) fail_input(cat("cannot read ", path.string(), "; check its permissions"));
  ImageHeader header = header_of(in, size, path.string());
  if (header.width <= 0 || header.height <= 0) {
    detail::fail_damaged(path.string(), "it has no pixels");
  }
  return header;
}

bool ends_as_png(const std::filesystem::path& path) {
  // The last chunk has no content: its length of zero, its name and its checksum.
  constexpr std::string_view kLastChunk = "\0\0\0\0IEND\xae\x42\x60\x82"sv;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size < kLastChunk.size()) return false;
  std::ifstream in(path, std::ios::binary);
  return read_at(in, size - kLastChunk.size(), kLastChunk.size()) == kLastChunk;
}

}  // namespace dd
