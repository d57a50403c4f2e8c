// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "dd/core/seeds.h"

namespace dd {

/// These rows of a matrix.
at::Tensor rows_at(const at::Tensor& rows, const std::vector<std::int64_t>& indices);

/// `count` different rows, drawn.
at::Tensor random_rows(const at::Tensor& rows, std::int64_t count, Random& random);

/// The places of half of each group's members, drawn without replacement and in ascending order; of
/// an odd group the larger half. `groups[i]` is the group of place i, 0 or more.
std::vector<std::int64_t> half_sample(std::span<const std::int64_t> groups, Random& random);

struct Interval {
  double low = 0;
  double high = 0;
};

/// The interval of a figure from its values on half-samples (Efron 1982, "The jackknife, the
/// bootstrap and other resampling plans", repeated half-sampling): without replacement, halves
/// scatter about as much as whole samples do, and since their bias is another, it is taken out by
/// moving their mean to `value`. The ordinary bootstrap would draw images twice, which look like
/// perfect neighbours to precision, recall and coverage and shrink every covariance. `level` is
/// the share of half-samples inside, 0.95. Both ends are NaN without samples or where one is NaN.
Interval half_sample_interval(double value, std::vector<double> samples, double level);

}  // namespace dd
