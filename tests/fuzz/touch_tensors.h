// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "dd/io/tensor_file.h"

namespace dd::fuzz {

/// Reads the first and the last byte of every tensor's numbers: what reaches past its bytes is
/// found.
inline void touch_tensors(const io::TensorFile& file) {
  for (const io::TensorInfo& info : file.infos()) {
    const at::Tensor tensor = file.tensor(info.name);
    if (tensor.numel() == 0) continue;
    std::int64_t last = 0;
    for (std::int64_t i = 0; i < tensor.dim(); ++i) last += (tensor.size(i) - 1) * tensor.stride(i);
    const auto* numbers = static_cast<const volatile unsigned char*>(tensor.const_data_ptr());
    const auto width = static_cast<std::int64_t>(tensor.element_size());
    static volatile unsigned char sink;
    sink = numbers[0];
    sink = numbers[last * width + width - 1];
    static_cast<void>(sink);
  }
}

}  // namespace dd::fuzz
