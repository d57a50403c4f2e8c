// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/operator_account.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "dd/tensor/operator_flops.h"
#include "dd/tensor/profile.h"

namespace {

using c10::IValue;
using dd::OperatorCosts;

TEST(OpenOperators, KeepOwnTimeApartFromThatOfCallsInside) {
  dd::OpenOperators open;
  OperatorCosts costs;
  open.enter("outer", 0, 10);
  open.enter("inner", 0, 11);
  open.leave(14, costs);
  open.enter("inner", 0, 14);
  open.leave(15, costs);
  open.leave(20, costs);
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(costs["inner"].calls, 2);
  EXPECT_DOUBLE_EQ(costs["inner"].seconds, 4);
  EXPECT_DOUBLE_EQ(costs["outer"].seconds, 6);
  EXPECT_DOUBLE_EQ(dd::total_of(costs).seconds, 10) << "all time, once";
}

TEST(OpenOperators, AnOperatorWithFlopsTakesAllInsideIt) {
  dd::OpenOperators open;
  OperatorCosts costs;
  open.enter("linear", 0, 0);
  open.enter("product", 100, 1);
  EXPECT_TRUE(open.inside_counted());
  open.enter("copy", 0, 2);
  open.enter("product", 100, 2);
  open.leave(3, costs);
  open.leave(3, costs);
  open.leave(5, costs);
  open.leave(5, costs);
  EXPECT_EQ(costs.count("copy"), 0U);
  EXPECT_EQ(costs["product"].calls, 1);
  EXPECT_DOUBLE_EQ(costs["product"].seconds, 4);
  EXPECT_DOUBLE_EQ(costs["product"].flops, 100);
  EXPECT_DOUBLE_EQ(costs["linear"].seconds, 1);
}

double flops(const std::string& name, const std::vector<IValue>& inputs) {
  return dd::operator_flops(name, c10::ArrayRef<const IValue>(inputs.data(), inputs.size()));
}

TEST(OperatorFlops, FollowFromShapes) {
  EXPECT_EQ(flops("aten::mm", {at::ones({2, 3}), at::ones({3, 5})}), 2 * 2 * 3 * 5);
  EXPECT_EQ(flops("aten::addmm", {at::ones({5}), at::ones({2, 3}), at::ones({3, 5})}), 60);
  EXPECT_EQ(flops("aten::bmm", {at::ones({4, 2, 3}), at::ones({4, 3, 5})}), 4 * 60);
  EXPECT_EQ(flops("aten::add", {at::ones({2, 3}), at::ones({2, 3})}), 0);
  EXPECT_EQ(flops("aten::mm", {}), 0);
  const std::vector<std::int64_t> one{1, 1}, two{2, 2}, none{0, 0};
  // 8 x 8 to 4 x 4 pixels, two pictures, 3 to 6 channels.
  EXPECT_EQ(flops("aten::convolution", {at::ones({2, 3, 8, 8}), at::ones({6, 3, 3, 3}), IValue(),
                                        two, one, one, false, none, 1}),
            2.0 * 2 * 16 * 6 * 27);
  EXPECT_EQ(flops("aten::scaled_dot_product_attention",
                  {at::ones({1, 2, 7, 4}), at::ones({1, 2, 5, 4}), at::ones({1, 2, 5, 4})}),
            2.0 * 2 * 7 * 5 * 8);
}

TEST(Profile, CountsWhatRunsUnderIt) {
  dd::NullReporter quiet;
  dd::Profile profile(quiet);
  const at::Tensor a = at::ones({16, 16});
  at::matmul(a, a);
  profile.progress("multiplying", 1, 2, "");
  at::matmul(a, a);
  at::matmul(a, a);
  profile.progress("multiplying", 2, 2, "");
  profile.stop();
  const OperatorCosts& costs = profile.stages().at("multiplying");
  EXPECT_EQ(costs.at("aten::mm").calls, 3);
  EXPECT_EQ(costs.at("aten::mm").flops, 3 * 2 * 16 * 16 * 16);
  at::matmul(a, a);
  EXPECT_EQ(profile.stages().at("multiplying").at("aten::mm").calls, 3) << "off is off";
}

}  // namespace
