// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/projection.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace {

using dd::PrincipalAxes;

/// Rows without a pattern that matters here.
at::Tensor scattered(std::int64_t rows, std::int64_t width) {
  return (at::arange(rows * width, at::kDouble) * 12.9898).sin().view({rows, width});
}

at::Tensor rows_of(const std::vector<double>& values, std::int64_t width) {
  return at::tensor(values, at::kDouble).view({-1, width});
}

TEST(PrincipalAxes, FindTheLongSidesOfACloud) {
  // Variances 8 along (0, 1, 0), 2 along (1, 0, 0), nothing along (0, 0, 1); mean (1, 2, 3).
  const at::Tensor rows = rows_of({1, 6, 3, 1, -2, 3, 3, 2, 3, -1, 2, 3}, 3);
  const PrincipalAxes axes(rows, 3);
  EXPECT_TRUE(at::allclose(axes.shares(), at::tensor({0.8, 0.2, 0.0}, at::kDouble)));
  EXPECT_TRUE(
      at::allclose(axes.places(rows), rows_of({4, 0, 0, -4, 0, 0, 0, 2, 0, 0, -2, 0}, 3), 0, 1e-12))
      << axes.places(rows);
}

TEST(PrincipalAxes, KeepDistancesWhenAllAreTaken) {
  const at::Tensor rows = scattered(7, 4);
  const at::Tensor places = PrincipalAxes(rows, 4).places(rows);
  EXPECT_TRUE(at::allclose(at::matmul(places, places.t()).diagonal(),
                           (rows - rows.mean(0)).square().sum(1)));
}

TEST(PrincipalAxes, AreTheSameForTurnedRowsOfAnotherOrder) {
  const at::Tensor rows = scattered(9, 5);
  const at::Tensor places = PrincipalAxes(rows, 2).places(rows);
  EXPECT_TRUE(at::allclose(PrincipalAxes(rows.flip(0), 2).places(rows), places, 1e-9, 1e-9));
}

TEST(PrincipalAxes, FewerDirectionsThanAxesLeaveZeros) {
  const PrincipalAxes one(at::full({3, 2}, 5.0), 2);
  EXPECT_EQ(one.shares().sum().item<double>(), 0);
  EXPECT_EQ(one.places(at::full({1, 2}, 9.0)).abs().sum().item<double>(), 0);
  const PrincipalAxes flat(rows_of({1, 1, 2, 2, 3, 3}, 2), 2);
  EXPECT_DOUBLE_EQ(flat.shares()[0].item<double>(), 1);
  EXPECT_EQ(flat.shares()[1].item<double>(), 0);
  const PrincipalAxes single(scattered(1, 3), 4);
  EXPECT_EQ(single.shares().size(0), 4);
}

}  // namespace
