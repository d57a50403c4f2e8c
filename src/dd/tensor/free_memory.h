// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace dd {

/// Bytes that tensors on the device may still take: available_memory() of the CPU, what the driver
/// calls free on others. Nothing where it is not known.
std::optional<std::int64_t> free_memory(at::Device device);

}  // namespace dd
