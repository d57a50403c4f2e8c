// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace dd {

/// The directions in which rows vary most (principal component analysis), to draw features in two
/// dimensions. Nothing in it is random: equal rows give equal axes.
class PrincipalAxes {
 public:
  /// `count` axes of rows [n, d], n ≥ 1. Each points so that its largest component is positive.
  /// Axes beyond the rank of the centred rows are zero.
  PrincipalAxes(const at::Tensor& rows, std::int64_t count);

  /// Rows [m, d] as their places on the axes, float64 [m, count]; the mean lies at zero.
  at::Tensor places(const at::Tensor& rows) const;
  /// The share of the rows' variance along each axis, float64 [count]; zero where all rows are
  /// equal.
  const at::Tensor& shares() const { return shares_; }

 private:
  at::Tensor mean_;  ///< [d]
  at::Tensor axes_;  ///< [count, d]
  at::Tensor shares_;
};

}  // namespace dd
