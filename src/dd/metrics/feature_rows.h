// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "dd/core/context.h"

namespace dd {

/// The features as measures take them: float64 [n, d] on the CPU, contiguous. Error(kInternal)
/// unless there are rows and columns.
at::Tensor feature_rows(const at::Tensor& features);

/// The same of two sets; Error(kInternal) when they have different numbers of columns.
struct FeaturePair {
  at::Tensor real;
  at::Tensor synthetic;
};
FeaturePair feature_pair(const at::Tensor& real, const at::Tensor& synthetic);

/// Squared Euclidean distances [n, m] by way of products; what is too small for that to tell from
/// rounding, as between equal rows, is 0.
at::Tensor squared_distances(const at::Tensor& x, const at::Tensor& y);

/// Calls `work(first, count)` for blocks of 0 … rows − 1, so that a matrix of `columns` numbers a
/// row needs no more than some 128 MiB at a time. Between blocks it may be stopped.
void for_row_blocks(std::int64_t rows, std::int64_t columns, const CancelToken& cancel,
                    const std::function<void(std::int64_t first, std::int64_t count)>& work);

}  // namespace dd
