// SPDX-License-Identifier: Apache-2.0
// A tar archive as a WebDataset shard: its members, their labels (text, JSON), their images.
#include "dd/data/shards.h"

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  folder.put("a.tar", dd::fuzz::text_of(data, size));
  dd::fuzz::may_refuse([&] {
    const auto set = dd::open_shards(folder.path() / "a.tar", "all", {.max_pixels = 10'000});
    for (std::int64_t i = 0; i < set->size(); ++i) {
      set->content_hash(i);
      dd::fuzz::may_refuse([&] { set->image(i); });
    }
  });
  return 0;
}
