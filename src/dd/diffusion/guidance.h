// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <limits>

namespace dd {

/// Classifier-free guidance (arXiv 2207.12598), optionally within an interval of noise levels only
/// (arXiv 2404.07724).
struct Guidance {
  double scale = 2.0;  ///< 1 or less switches guidance off, as diffusers does
  double sigma_low =
      0.0;  ///< guided while sigma_low ≤ noise level ≤ sigma_high, see Sampler::noise_level
  double sigma_high = std::numeric_limits<double>::infinity();

  /// Whether any evaluation can be guided.
  bool enabled() const noexcept { return scale > 1.0; }
  /// Whether the evaluation at this noise level is: otherwise the conditional output is used as it
  /// is.
  bool active(double noise_level) const noexcept {
    return enabled() && noise_level >= sigma_low && noise_level <= sigma_high;
  }
};

/// unconditional + scale · (conditional − unconditional); one shape.
at::Tensor guide(const at::Tensor& unconditional, const at::Tensor& conditional, double scale);

/// The same for one tensor (2B, …) that holds the unconditional outputs before the conditional
/// ones.
at::Tensor guide_stacked(const at::Tensor& both, double scale);

}  // namespace dd
