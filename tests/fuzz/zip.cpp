// SPDX-License-Identifier: Apache-2.0
// A ZIP archive: its directory, then every entry.
#include "dd/io/zip.h"

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kLimit = 1 << 24;
  dd::fuzz::may_refuse([&] {
    const dd::io::ZipArchive archive(dd::fuzz::text_of(data, size), "input");
    for (const auto& [name, entry] : archive.entries()) {
      dd::fuzz::may_refuse([&] { archive.read(name, kLimit); });
    }
  });
  return 0;
}
