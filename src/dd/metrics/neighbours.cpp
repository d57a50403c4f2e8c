// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/neighbours.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/kthvalue.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "dd/core/error.h"
#include "dd/metrics/feature_rows.h"
#include "dd/metrics/kernel_distance.h"

namespace dd {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Squared distances that differ by less in proportion are equal: copies lie on the surface of balls
// whose radius is a distance to their original, and rounding must not decide on which side.
constexpr double kTie = 1e-9;

/// Squared distance of each row to its k-th nearest other one [n].
at::Tensor squared_radii(const at::Tensor& rows, std::int64_t k, const CancelToken& cancel) {
  const std::int64_t n = rows.size(0);
  at::Tensor radii = at::empty({n}, at::kDouble);
  for_row_blocks(n, n, cancel, [&](std::int64_t first, std::int64_t count) {
    at::Tensor distances = squared_distances(rows.narrow(0, first, count), rows);
    distances.narrow(1, first, count).diagonal().fill_(std::numeric_limits<double>::infinity());
    radii.narrow(0, first, count).copy_(std::get<0>(at::kthvalue(distances, k, 1)));
  });
  return radii;
}

bool too_few(const FeaturePair& pair, std::int64_t k) {
  return pair.real.size(0) <= k || pair.synthetic.size(0) <= k;
}

/// Calls `work(first, count, distances)` for blocks of the squared distances of real images (rows)
/// to synthetic ones.
template <class Work>
void for_distance_blocks(const FeaturePair& pair, const CancelToken& cancel, const Work& work) {
  const auto block = [&](std::int64_t first, std::int64_t count) {
    work(first, count, squared_distances(pair.real.narrow(0, first, count), pair.synthetic));
  };
  for_row_blocks(pair.real.size(0), pair.synthetic.size(0), cancel, block);
}

double share(const at::Tensor& hits) {
  return hits.to(at::kDouble).mean().item<double>();
}

/// Rows in blocks of `among`'s cosines; `self` leaves each row's own place out.
NearestRows nearest(const at::Tensor& rows, const at::Tensor& among, bool self,
                    const CancelToken& cancel) {
  const at::Tensor x = unit_rows(feature_rows(rows));
  const at::Tensor y = unit_rows(feature_rows(among));
  NearestRows found{at::empty({x.size(0)}, at::kLong), at::empty({x.size(0)}, at::kDouble)};
  for_row_blocks(x.size(0), y.size(0), cancel, [&](std::int64_t first, std::int64_t count) {
    at::Tensor cosines = x.narrow(0, first, count).matmul(y.t());
    if (self) {
      cosines.narrow(1, first, count).diagonal().fill_(-std::numeric_limits<double>::infinity());
    }
    const auto [best, place] = cosines.max(1);
    found.cosine.narrow(0, first, count).copy_(best);
    found.index.narrow(0, first, count).copy_(place);
  });
  return found;
}

}  // namespace

PrecisionRecall precision_recall(const at::Tensor& real, const at::Tensor& synthetic,
                                 std::int64_t k, const CancelToken& cancel) {
  const FeaturePair pair = feature_pair(real, synthetic);
  if (too_few(pair, k)) return {kNone, kNone};
  const at::Tensor real_radii = squared_radii(pair.real, k, cancel).unsqueeze(1) * (1 + kTie);
  const at::Tensor synthetic_radii =
      squared_radii(pair.synthetic, k, cancel).unsqueeze(0) * (1 + kTie);
  at::Tensor precise = at::zeros({pair.synthetic.size(0)}, at::kBool);
  at::Tensor recalled = at::empty({pair.real.size(0)}, at::kBool);
  for_distance_blocks(
      pair, cancel, [&](std::int64_t first, std::int64_t count, const at::Tensor& d) {
        precise = at::logical_or(precise, (d <= real_radii.narrow(0, first, count)).any(0));
        recalled.narrow(0, first, count).copy_((d <= synthetic_radii).any(1));
      });
  return {share(precise), share(recalled)};
}

DensityCoverage density_coverage(const at::Tensor& real, const at::Tensor& synthetic,
                                 std::int64_t k, const CancelToken& cancel) {
  const FeaturePair pair = feature_pair(real, synthetic);
  if (too_few(pair, k)) return {kNone, kNone};
  const at::Tensor radii = squared_radii(pair.real, k, cancel).unsqueeze(1) * (1 - kTie);
  double balls = 0;
  at::Tensor covered = at::empty({pair.real.size(0)}, at::kBool);
  for_distance_blocks(pair, cancel,
                      [&](std::int64_t first, std::int64_t count, const at::Tensor& d) {
                        const at::Tensor inside = d < radii.narrow(0, first, count);
                        balls += static_cast<double>(inside.sum().item<std::int64_t>());
                        covered.narrow(0, first, count).copy_(inside.any(1));
                      });
  const double images = static_cast<double>(pair.synthetic.size(0));
  return {balls / (static_cast<double>(k) * images), share(covered)};
}

NearestRows nearest_by_cosine(const at::Tensor& rows, const at::Tensor& among,
                              const CancelToken& cancel) {
  return nearest(rows, among, false, cancel);
}

NearestRows nearest_others(const at::Tensor& rows, const CancelToken& cancel) {
  ensure(rows.size(0) > 1, "one image alone has no neighbour");
  return nearest(rows, rows, true, cancel);
}

}  // namespace dd
