// SPDX-License-Identifier: Apache-2.0
// NumPy's files of one array.
#include "dd/io/npy.h"

#include <ATen/ops/sum.h>

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dd::fuzz::may_refuse([&] {
    const auto bytes = dd::io::Bytes::own(std::string(dd::fuzz::text_of(data, size)));
    const at::Tensor array = dd::io::parse_npy(bytes, "input");
    at::sum(array, at::kDouble);
  });
  return 0;
}
