// SPDX-License-Identifier: Apache-2.0
// A pickle by itself, and the search for tensors in it.
#include "dd/io/pickle.h"

#include "dd/io/torch_pickle.h"
#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dd::fuzz::may_refuse([&] {
    const auto pickle = dd::io::Pickle::parse(dd::fuzz::text_of(data, size), "input");
    dd::io::find_tensors(pickle, "input");
  });
  return 0;
}
