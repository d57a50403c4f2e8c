// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/guidance.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace dd {
namespace {

TEST(Guidance, MovesAwayFromTheUnconditionalOutput) {
  const at::Tensor without = at::full({1, 2}, 1.0);
  const at::Tensor with = at::full({1, 2}, 3.0);
  EXPECT_TRUE(guide(without, with, 2.5).equal(at::full({1, 2}, 6.0)));
  EXPECT_TRUE(guide_stacked(at::cat({without, with}), 2.5).equal(at::full({1, 2}, 6.0)));
  EXPECT_THROW(guide_stacked(at::full({3, 2}, 1.0), 2.0), Error);
}

TEST(Guidance, OneOrLessSwitchesItOff) {
  EXPECT_FALSE(Guidance{.scale = 1.0}.enabled());
  EXPECT_FALSE(Guidance{.scale = 0.0}.active(5.0));
  EXPECT_TRUE(Guidance{.scale = 1.5}.active(5.0));
}

TEST(Guidance, AppliesWithinItsIntervalOnly) {
  const Guidance guidance{.scale = 2.0, .sigma_low = 0.3, .sigma_high = 5.0};
  EXPECT_TRUE(guidance.active(0.3));
  EXPECT_TRUE(guidance.active(5.0));
  EXPECT_FALSE(guidance.active(0.2));
  EXPECT_FALSE(guidance.active(14.6));
}

}  // namespace
}  // namespace dd
