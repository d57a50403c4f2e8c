// SPDX-License-Identifier: Apache-2.0
// MNIST's files of images and of labels, plain and packed with gzip.
#include "dd/data/idx.h"

#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dd::fuzz::MemoryFile file(dd::fuzz::text_of(data, size));
  dd::fuzz::may_refuse([&] {
    const dd::IdxImages images = dd::read_idx_images(file.path());
    const auto pixels = static_cast<std::size_t>(images.count * images.height * images.width);
    dd::ensure(images.pixels.size() == pixels, "pixels are missing");
  });
  dd::fuzz::may_refuse([&] { dd::read_idx_labels(file.path()); });
  return 0;
}
