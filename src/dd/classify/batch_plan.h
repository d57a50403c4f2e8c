// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/classify/train.h"

namespace dd::classify {

/// How a batch and its loss are shared between the two kinds of images. A kind whose weight is 0 is
/// not drawn, and one that is not drawn has weight 0: no mean is ever taken over no images.
struct BatchPlan {
  std::int64_t real = 0;       ///< images of a batch
  std::int64_t synthetic = 0;  ///< images of a batch
  double real_weight = 0;      ///< λ as it takes effect: 1 for real images alone
  double synthetic_weight = 0;
  std::int64_t steps = 0;
  std::int64_t warmup = 0;  ///< updates until the peak rate
};

/// With `real_images` and `synthetic_images` at hand, at least one of them positive. An epoch shows
/// as many pictures as there are of the kinds in use; where both are, `real_batch` (or half) of
/// each batch is real, so the fewer kind is seen more often.
BatchPlan plan_batches(const TrainOptions& options, std::int64_t real_images,
                       std::int64_t synthetic_images);

/// Reads --lambdas. Error(kUsage) names a text that is no number in 0 … 1, or that comes twice.
std::vector<double> parse_lambdas(const std::vector<std::string>& texts);

}  // namespace dd::classify
