// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/resampling.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "dd/core/error.h"

namespace dd {
namespace {

/// Linear between the neighbouring values, as NumPy's default.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - std::floor(place));
}

}  // namespace

at::Tensor rows_at(const at::Tensor& rows, const std::vector<std::int64_t>& indices) {
  at::Tensor places = at::empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  std::ranges::copy(indices, places.mutable_data_ptr<std::int64_t>());
  return at::index_select(rows, 0, places);
}

at::Tensor random_rows(const at::Tensor& rows, std::int64_t count, Random& random) {
  ensure(count >= 0 && count <= rows.size(0), "more rows are to be drawn than there are");
  std::vector<std::int64_t> order = random.permutation(rows.size(0));
  order.resize(static_cast<std::size_t>(count));
  std::ranges::sort(order);
  return rows_at(rows, order);
}

std::vector<std::int64_t> half_sample(std::span<const std::int64_t> groups, Random& random) {
  std::vector<std::vector<std::int64_t>> members;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    ensure(groups[i] >= 0, "a group has a negative number");
    const auto group = static_cast<std::size_t>(groups[i]);
    if (group >= members.size()) members.resize(group + 1);
    members[group].push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> chosen;
  for (std::vector<std::int64_t>& group : members) {
    random.shuffle(std::span(group));
    const auto half = static_cast<std::ptrdiff_t>((group.size() + 1) / 2);
    chosen.insert(chosen.end(), group.begin(), group.begin() + half);
  }
  std::ranges::sort(chosen);
  return chosen;
}

Interval half_sample_interval(double value, std::vector<double> samples, double level) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const bool known = std::ranges::none_of(samples, [](double x) { return std::isnan(x); });
  if (samples.empty() || !known || std::isnan(value)) return {kNone, kNone};
  const double mean =
      std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
  std::ranges::sort(samples);
  const double outside = (1 - level) / 2;
  return {value + quantile(samples, outside) - mean, value + quantile(samples, 1 - outside) - mean};
}

}  // namespace dd
