// SPDX-License-Identifier: Apache-2.0
// PNG, JPEG and WebP with all that they carry (profiles, EXIF), and the reader of their headers.
#include <zlib.h>

#include "dd/image/probe.h"
#include "dd/image/read.h"
#include "fuzz_input.h"

namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Makes the check sums of a PNG's chunks right, which chance would hardly ever do.
void mend_png(std::string& bytes) {
  constexpr std::size_t kAround = 12;  // length, name, check sum
  for (std::size_t at = 8; bytes.size() >= kAround && at <= bytes.size() - kAround;) {
    const std::size_t length = big_endian(bytes, at);
    if (length > bytes.size() - kAround - at) return;
    const auto* covered = reinterpret_cast<const Bytef*>(bytes.data() + at + 4);
    const auto sum = static_cast<std::uint32_t>(crc32_z(0, covered, length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at + 8 + length + i] = static_cast<char>(sum >> (24 - 8 * i) & 0xff);
    }
    at += kAround + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(dd::fuzz::text_of(data, size));
  if (bytes.starts_with("\x89PNG")) mend_png(bytes);
  // A claimed size near the true limit is legal; a lower one keeps the search quick.
  constexpr std::int64_t kMostPixels = 200'000;
  for (const bool as_transformers : {false, true}) {
    dd::fuzz::may_refuse([&] {
      dd::decode_image(bytes, "input",
                       {.as_transformers = as_transformers, .max_pixels = kMostPixels});
    });
  }
  const dd::fuzz::MemoryFile file(bytes);
  dd::fuzz::may_refuse([&] { dd::probe_image(file.path()); });
  return 0;
}
