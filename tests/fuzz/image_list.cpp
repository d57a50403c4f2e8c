// SPDX-License-Identifier: Apache-2.0
// Lists of images: CSV, and one JSON object a line.
#include "dd/data/list_file.h"
#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dd::fuzz::InputFolder folder;
  for (const char* name : {"list.csv", "list.jsonl"}) {
    folder.put(name, dd::fuzz::text_of(data, size));
    dd::fuzz::may_refuse([&] {
      const auto set = dd::open_list_file(folder.path() / name, "all");
      for (std::int64_t i = 0; i < set->size(); ++i) {
        dd::ensure(set->label(i) >= 0 && set->label(i) < set->num_classes(), "a label of no class");
      }
    });
  }
  return 0;
}
