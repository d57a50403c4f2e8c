// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/frechet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svdvals.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dd/core/seeds.h"
#include "dd/metrics/feature_rows.h"
#include "dd/metrics/resampling.h"

namespace dd {
namespace {

/// Mean, and a matrix R with RᵀR = covariance.
struct Normal {
  at::Tensor mean;
  at::Tensor root;
};

Normal normal_of(const at::Tensor& rows) {
  const at::Tensor mean = rows.mean(0);
  at::Tensor root = (rows - mean) / std::sqrt(static_cast<double>(rows.size(0) - 1));
  if (root.size(0) > root.size(1)) root = std::get<1>(at::linalg_qr(root, "r"));
  return {mean, root};
}

double distance(const Normal& a, const Normal& b) {
  const at::Tensor spread = a.root.square().sum() + b.root.square().sum();
  const at::Tensor shared = at::linalg_svdvals(a.root.matmul(b.root.t())).sum();
  return ((a.mean - b.mean).square().sum() + spread - 2 * shared).item<double>();
}

}  // namespace

double frechet_distance(const at::Tensor& real, const at::Tensor& synthetic) {
  const FeaturePair pair = feature_pair(real, synthetic);
  if (std::min(pair.real.size(0), pair.synthetic.size(0)) < 2) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return distance(normal_of(pair.real), normal_of(pair.synthetic));
}

std::optional<double> frechet_infinity(const at::Tensor& real, const at::Tensor& synthetic,
                                       std::uint64_t seed, const CancelToken& cancel) {
  constexpr int kPoints = 15;
  constexpr double kSmallest = 0.2;
  constexpr double kLargestStart = 0.8;
  const FeaturePair pair = feature_pair(real, synthetic);
  const std::int64_t fewest = std::min(pair.real.size(0), pair.synthetic.size(0));
  const double needed = static_cast<double>(pair.real.size(1) + 1) / static_cast<double>(fewest);
  if (needed > kLargestStart) return std::nullopt;
  const double start = std::max(kSmallest, needed);
  // Least squares of distance = a + b / share.
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (int i = 0; i < kPoints; ++i) {
    cancel.check();
    const double share = start + (1 - start) * i / (kPoints - 1);
    const auto part = [&](const at::Tensor& rows, std::uint64_t which) {
      Random random(mix_seed(seed, "frechet infinity", {static_cast<std::uint64_t>(i), which}));
      const double count = std::round(share * static_cast<double>(rows.size(0)));
      return random_rows(rows, static_cast<std::int64_t>(count), random);
    };
    const double x = 1 / share;
    const double y = distance(normal_of(part(pair.real, 0)), normal_of(part(pair.synthetic, 1)));
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const double slope = (kPoints * sum_xy - sum_x * sum_y) / (kPoints * sum_xx - sum_x * sum_x);
  return (sum_y - slope * sum_x) / kPoints;
}

}  // namespace dd
