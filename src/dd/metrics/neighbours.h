// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dd/core/context.h"

namespace dd {

// Measures that take an image's ball to reach as far as its k-th nearest other image of its own
// set, in Euclidean distance. All are NaN where a set has no more than k images, and throw
// Error(kCancelled) when stopped.

/// Kynkäänniemi et al. 2019, arXiv 1904.06991: the share of synthetic images inside some real
/// image's ball, and the share of real images inside some synthetic image's ball; k = 3 there. The
/// surface belongs to the ball.
struct PrecisionRecall {
  double precision = 0;
  double recall = 0;
};
PrecisionRecall precision_recall(const at::Tensor& real, const at::Tensor& synthetic,
                                 std::int64_t k = 3, const CancelToken& cancel = never_stopped());

/// Naeem et al. 2020, arXiv 2002.09797: how many real images' balls a synthetic image lies in on
/// average, over k (so 1 for equal distributions, and more where synthetic images crowd), and the
/// share of real images with a synthetic one in their ball; k = 5 there. The surface does not
/// belong to the ball.
struct DensityCoverage {
  double density = 0;
  double coverage = 0;
};
DensityCoverage density_coverage(const at::Tensor& real, const at::Tensor& synthetic,
                                 std::int64_t k = 5, const CancelToken& cancel = never_stopped());

/// The nearest by cosine of `among` to each row of `rows`, the first of equal ones. Rows of zeros
/// have a cosine of 0 with everything.
struct NearestRows {
  at::Tensor index;   ///< int64 [n]
  at::Tensor cosine;  ///< float64 [n]
};
NearestRows nearest_by_cosine(const at::Tensor& rows, const at::Tensor& among,
                              const CancelToken& cancel = never_stopped());

/// The same within one set: each row's nearest other row. There must be two.
NearestRows nearest_others(const at::Tensor& rows, const CancelToken& cancel = never_stopped());

}  // namespace dd
