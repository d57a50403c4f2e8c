// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace dd {

class Ranks;

/// Rows 0 … total − 1 of a tensor [total, d] that are computed in batches, `compute(first, count)`
/// giving [count, d] on any device. Each batch is computed on one rank, and all ranks get all rows,
/// on the CPU, the same ones as a process alone. Together; `total` is positive. The
/// ranks send `portion` bytes in all at a time, or a batch each where that is more: MPI counts
/// bytes to 2 GiB, and what is on the way takes memory beside the result.
at::Tensor share_rows(Ranks& ranks, std::int64_t total, std::int64_t batch,
                      const std::function<at::Tensor(std::int64_t, std::int64_t)>& compute,
                      std::int64_t portion = std::int64_t{64} << 20);

}  // namespace dd
