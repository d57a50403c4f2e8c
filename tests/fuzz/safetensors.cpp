// SPDX-License-Identifier: Apache-2.0
// A safetensors file: its header, then every number of every tensor.
#include "dd/io/safetensors.h"

#include "fuzz_input.h"
#include "touch_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dd::fuzz::may_refuse([&] {
    const auto bytes = dd::io::Bytes::own(std::string(dd::fuzz::text_of(data, size)));
    dd::fuzz::touch_tensors(dd::io::SafetensorsFile(bytes, "input"));
  });
  return 0;
}
