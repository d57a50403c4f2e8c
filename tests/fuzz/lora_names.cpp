// SPDX-License-Identifier: Apache-2.0
// Names of LoRA tensors, one a line, taken apart and written as kohya's programs have them.
#include "dd/lora/lora_names.h"

#include <algorithm>

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = dd::fuzz::text_of(data, size);
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const auto key = dd::lora::split_key(name);
    const dd::lora::LayerName layer = dd::lora::layer_of_stem(key ? key->stem : std::string(name));
    dd::lora::part_of(layer.full());
    dd::fuzz::may_refuse([&] {
      // Whatever a name was, kohya's form of it stands for the same part.
      const dd::lora::LayerName again = dd::lora::layer_of_stem(dd::lora::kohya_stem(layer));
      dd::ensure(again.part == layer.part, "the part of a layer changed");
    });
  }
  return 0;
}
