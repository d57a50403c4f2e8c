// SPDX-License-Identifier: Apache-2.0
// A checkpoint of PyTorch: a ZIP archive with a pickle, or a row of pickles.
#include "dd/io/torch_file.h"

#include "fuzz_input.h"
#include "touch_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dd::fuzz::may_refuse([&] {
    const auto bytes = dd::io::Bytes::own(std::string(dd::fuzz::text_of(data, size)));
    dd::fuzz::touch_tensors(dd::io::TorchFile(bytes, "input"));
  });
  return 0;
}
