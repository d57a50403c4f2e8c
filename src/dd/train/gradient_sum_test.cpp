// SPDX-License-Identifier: Apache-2.0
#include "dd/train/gradient_sum.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <deque>

#include "dd/core/error.h"
#include "support/absent_ranks.h"

namespace dd::train {
namespace {

/// Adds 1 to every value, as if the other rank had nothing else, and notes what happens when.
class OtherAddsOne final : public test::AbsentRanks {
 public:
  void begin_sum(std::span<const float> values) override {
    log.push_back(cat("begin ", values.size(), " of ", values.front()));
    sums_.emplace_back(values.begin(), values.end());
  }
  void advance_sums() override {}
  void finish_sum(std::span<float> into) override {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = sums_.front()[i] + 1;
    sums_.pop_front();
  }

  std::vector<std::string> log;

 private:
  std::deque<std::vector<float>> sums_;
};

class GradientSumTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kCount = GradientSum::kLeast;

  static at::Tensor filled(double value) { return at::full({kCount}, value, at::kFloat); }

  /// One pass: y = (x a) b with a note between the gradients of b and of a. Both are x = `x`.
  void pass(double x) {
    const at::Tensor middle = filled(x) * first_;
    middle.register_hook([this](const at::Tensor&) { ranks_.log.push_back("middle"); });
    (middle * second_).sum().backward();
  }

  at::Tensor first_ = filled(1);
  at::Tensor second_ = filled(1);
  FlatParameters parameters_{{{"a", first_}, {"b", second_}}};
  OtherAddsOne ranks_;
  GradientSum sum_{parameters_, ranks_};
};

TEST_F(GradientSumTest, WhatIsReadyGoesOutWhileTheRestIsComputed) {
  sum_.begin_last_pass();
  pass(3);
  const std::string piece = cat("begin ", kCount, " of 3");
  EXPECT_EQ(ranks_.log, (std::vector<std::string>{piece, "middle", piece}));
  sum_.finish();
  EXPECT_TRUE(parameters_.gradient().equal(at::full({2 * kCount}, 4.0F)));
}

TEST_F(GradientSumTest, EarlierPassesOfAStepAreInTheSumOnce) {
  pass(3);
  EXPECT_EQ(ranks_.log, (std::vector<std::string>{"middle"})) << "nothing goes out too early";
  sum_.begin_last_pass();
  pass(4);
  sum_.finish();
  EXPECT_TRUE(parameters_.gradient().equal(at::full({2 * kCount}, 8.0F)));
}

TEST_F(GradientSumTest, ARankWithoutAPassTakesPart) {
  sum_.finish();
  EXPECT_TRUE(parameters_.gradient().equal(at::full({2 * kCount}, 1.0F)));
  parameters_.zero_gradient();
  sum_.begin_last_pass();
  pass(3);
  sum_.finish();
  EXPECT_TRUE(parameters_.gradient().equal(at::full({2 * kCount}, 4.0F)));
}

TEST_F(GradientSumTest, ParametersThatAPassDoesNotReachHoldNothingUp) {
  sum_.begin_last_pass();
  (filled(3) * first_).sum().backward();
  EXPECT_TRUE(ranks_.log.empty()) << "pieces go out in the order of all ranks";
  sum_.finish();
  EXPECT_EQ(ranks_.log.size(), 2U);
  EXPECT_TRUE(parameters_.gradient().narrow(0, 0, kCount).equal(filled(4)));
  EXPECT_TRUE(parameters_.gradient().narrow(0, kCount, kCount).equal(filled(1)));
}

TEST(GradientSum, SmallParametersShareAPiece) {
  const at::Tensor one = at::full({3}, 1.0F);
  const at::Tensor other = at::full({5}, 1.0F);
  FlatParameters parameters({{"a", one}, {"b", other}});
  OtherAddsOne ranks;
  {
    GradientSum sum(parameters, ranks);
    sum.begin_last_pass();
    (one.sum() * other.sum()).backward();
    sum.finish();
  }
  EXPECT_EQ(ranks.log, (std::vector<std::string>{"begin 8 of 5"}));
  (one.sum() * other.sum()).backward();
  EXPECT_EQ(ranks.log.size(), 1U) << "its hooks outlive it";
}

}  // namespace
}  // namespace dd::train
