// SPDX-License-Identifier: Apache-2.0
// A tar archive as a WebDataset shard: its members, their labels (text, JSON), their images.
#include "dd/data/shards.h"

#include <cstdio>

#include "fuzz_input.h"

namespace {

/// Makes the check sums of the headers right, which chance would hardly ever do.
void mend_tar(std::string& bytes) {
  constexpr std::size_t kBlock = 512, kSumAt = 148, kSumSize = 8, kSizeAt = 124, kSizeSize = 12;
  for (std::size_t at = 0; bytes.size() >= kBlock && at <= bytes.size() - kBlock;) {
    if (bytes[at] == 0) return;
    bytes.replace(at + kSumAt, kSumSize, kSumSize, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(bytes[at + i]);
    std::array<char, kSumSize> octal{};
    std::snprintf(octal.data(), octal.size(), "%06o", sum & 0777777U);
    bytes.replace(at + kSumAt, kSumSize - 1, octal.data(), kSumSize - 1);
    std::size_t content = 0;
    for (const char digit : bytes.substr(at + kSizeAt, kSizeSize)) {
      if (digit < '0' || digit > '7') break;
      content = content * 8 + static_cast<std::size_t>(digit - '0');
    }
    at += kBlock + (content + kBlock - 1) / kBlock * kBlock;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  std::string bytes(dd::fuzz::text_of(data, size));
  mend_tar(bytes);
  folder.put("a.tar", bytes);
  dd::fuzz::may_refuse([&] {
    const auto set = dd::open_shards(folder.path() / "a.tar", "all", {.max_pixels = 10'000});
    for (std::int64_t i = 0; i < set->size(); ++i) {
      set->content_hash(i);
      dd::fuzz::may_refuse([&] { set->image(i); });
    }
  });
  return 0;
}
