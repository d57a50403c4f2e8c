// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dd/io/tensor_file.h"

namespace dd::adapt {

/// Numbers in one adapter for a model with these tensors (models/model_size.h): rank · (in + out)
/// for each projection of attention; 0 where the tensors are unknown.
std::int64_t adapter_numbers(const std::vector<io::TensorInfo>& tensors, std::int64_t rank,
                             bool text_encoder);

/// The most that `adapters` of so many numbers take on disk, with their records, and with the
/// training states of the `at_once` that are in work, one of which, while it is replaced, is there
/// twice.
std::int64_t adapter_bytes(std::int64_t numbers, std::int64_t adapters, std::int64_t at_once);

}  // namespace dd::adapt
