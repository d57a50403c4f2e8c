// SPDX-License-Identifier: Apache-2.0
// A LoRA file: its names, its metadata, its pairs, without a model to put it on.
#include "dd/lora/lora_content.h"
#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dd::fuzz::MemoryFile file(dd::fuzz::text_of(data, size));
  dd::fuzz::may_refuse([&] {
    const dd::lora::LoraContent content = dd::lora::scan_lora(file.path());
    for (const dd::lora::LoraEntry& entry : content.entries) {
      dd::ensure(entry.rank() == entry.up.size(1), "two halves that do not fit");
    }
  });
  return 0;
}
