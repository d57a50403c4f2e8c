// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/feature_rows.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "dd/core/error.h"

namespace dd {

at::Tensor feature_rows(const at::Tensor& features) {
  ensure(features.dim() == 2 && features.size(0) > 0 && features.size(1) > 0,
         "features must be rows of numbers");
  return features.detach().to(at::kCPU, at::kDouble).contiguous();
}

FeaturePair feature_pair(const at::Tensor& real, const at::Tensor& synthetic) {
  FeaturePair pair{feature_rows(real), feature_rows(synthetic)};
  ensure(pair.real.size(1) == pair.synthetic.size(1), "both sets need features of one length");
  return pair;
}

at::Tensor squared_distances(const at::Tensor& x, const at::Tensor& y) {
  // Of the sum of both squares, far above the rounding of their difference.
  constexpr double kNoise = 1e-12;
  const at::Tensor sizes = x.square().sum(1, true) + y.square().sum(1).unsqueeze(0);
  at::Tensor distances = x.matmul(y.t()).mul_(-2).add_(sizes);
  return distances.masked_fill_(distances <= sizes * kNoise, 0);
}

void for_row_blocks(std::int64_t rows, std::int64_t columns, const CancelToken& cancel,
                    const std::function<void(std::int64_t first, std::int64_t count)>& work) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 24;
  const std::int64_t block =
      std::max<std::int64_t>(1, kNumbers / std::max<std::int64_t>(columns, 1));
  for (std::int64_t first = 0; first < rows; first += block) {
    cancel.check();
    work(first, std::min(block, rows - first));
  }
}

}  // namespace dd
