// SPDX-License-Identifier: Apache-2.0
// MATLAB's files of level 5, asked for variables of the names that the data sets use.
#include "dd/data/mat_file.h"
#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dd::fuzz::MemoryFile file(dd::fuzz::text_of(data, size));
  dd::fuzz::may_refuse([&] {
    const dd::MatFile mat(file.path());
    for (const char* name : {"labels", "class_names", "annotations"}) {
      dd::fuzz::may_refuse([&] { mat.numbers(name); });
      dd::fuzz::may_refuse([&] { mat.texts(name); });
      dd::fuzz::may_refuse([&] { mat.fields(name, {"fname", "class"}); });
    }
  });
  return 0;
}
