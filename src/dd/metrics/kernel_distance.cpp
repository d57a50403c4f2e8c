// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/kernel_distance.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dd/core/error.h"
#include "dd/core/seeds.h"
#include "dd/metrics/feature_rows.h"
#include "dd/metrics/resampling.h"

namespace dd {
namespace {

constexpr double kCmmdSigma = 10;
constexpr double kCmmdScale = 1000;

at::Tensor cubed(const at::Tensor& products, std::int64_t width) {
  const at::Tensor base = products / static_cast<double>(width) + 1;
  return base * base * base;
}

/// The sum of a kernel over all pairs; `kernel` makes its matrix of two sets of rows.
template <class Kernel>
double pair_sum(const at::Tensor& x, const at::Tensor& y, const CancelToken& cancel,
                const Kernel& kernel) {
  double sum = 0;
  for_row_blocks(x.size(0), y.size(0), cancel, [&](std::int64_t first, std::int64_t count) {
    sum += kernel(x.narrow(0, first, count), y).sum().template item<double>();
  });
  return sum;
}

double polynomial_sum(const at::Tensor& x, const at::Tensor& y, const CancelToken& cancel) {
  return pair_sum(x, y, cancel, [](const at::Tensor& a, const at::Tensor& b) {
    return cubed(a.matmul(b.t()), a.size(1));
  });
}

/// The mean over pairs of different rows.
double mean_of_others(const at::Tensor& x, const CancelToken& cancel) {
  const auto n = static_cast<double>(x.size(0));
  const double own = cubed(x.square().sum(1), x.size(1)).sum().item<double>();
  return (polynomial_sum(x, x, cancel) - own) / (n * (n - 1));
}

double unbiased(const at::Tensor& x, const at::Tensor& y, const CancelToken& cancel) {
  const double pairs = static_cast<double>(x.size(0)) * static_cast<double>(y.size(0));
  return mean_of_others(x, cancel) + mean_of_others(y, cancel) -
         2 * polynomial_sum(x, y, cancel) / pairs;
}

double gauss_mean(const at::Tensor& x, const at::Tensor& y, const CancelToken& cancel) {
  const double sum = pair_sum(x, y, cancel, [](const at::Tensor& a, const at::Tensor& b) {
    return squared_distances(a, b).mul_(-1 / (2 * kCmmdSigma * kCmmdSigma)).exp_();
  });
  return sum / (static_cast<double>(x.size(0)) * static_cast<double>(y.size(0)));
}

}  // namespace

double kernel_distance(const at::Tensor& real, const at::Tensor& synthetic,
                       const CancelToken& cancel) {
  const FeaturePair pair = feature_pair(real, synthetic);
  if (std::min(pair.real.size(0), pair.synthetic.size(0)) < 2) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return unbiased(pair.real, pair.synthetic, cancel);
}

SubsetDistance kernel_distance_of_subsets(const at::Tensor& real, const at::Tensor& synthetic,
                                          const SubsetOptions& options, const CancelToken& cancel) {
  const FeaturePair pair = feature_pair(real, synthetic);
  const std::int64_t size = std::min({options.size, pair.real.size(0), pair.synthetic.size(0)});
  ensure(options.subsets > 0, "there must be a subset");
  if (size < 2) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none};
  }
  double sum = 0;
  double squares = 0;
  for (std::int64_t i = 0; i < options.subsets; ++i) {
    Random random(mix_seed(options.seed, "kernel distance", {static_cast<std::uint64_t>(i)}));
    const at::Tensor x = random_rows(pair.real, size, random);
    const double value = unbiased(x, random_rows(pair.synthetic, size, random), cancel);
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(options.subsets);
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

double cmmd(const at::Tensor& real, const at::Tensor& synthetic, const CancelToken& cancel) {
  const FeaturePair pair = feature_pair(real, synthetic);
  return kCmmdScale * (gauss_mean(pair.real, pair.real, cancel) +
                       gauss_mean(pair.synthetic, pair.synthetic, cancel) -
                       2 * gauss_mean(pair.real, pair.synthetic, cancel));
}

at::Tensor unit_rows(const at::Tensor& features) {
  const at::Tensor lengths = features.norm(2, {1}, true);
  return features / lengths.masked_fill(lengths == 0, 1);
}

}  // namespace dd
