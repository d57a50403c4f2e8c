// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/mixing.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dd/core/error.h"

namespace dd::classify {
namespace {

/// Image i holds the value i everywhere.
at::Tensor numbered(std::int64_t count, std::int64_t side) {
  return at::arange(count, at::kFloat).view({count, 1, 1, 1}).expand({count, 3, side, side});
}

TEST(Mixing, MixUpAddsTheImageBefore) {
  const Mix mix{.kept = 0.75};
  const at::Tensor images = mix_images(numbered(3, 4), mix);
  const at::Tensor targets = mix_targets(at::eye(3), mix);
  EXPECT_FLOAT_EQ(images[0][2][1][3].item<float>(), 0.25F * 2);
  EXPECT_FLOAT_EQ(images[2][0][0][0].item<float>(), 0.75F * 2 + 0.25F);
  EXPECT_FLOAT_EQ(targets[0][0].item<float>(), 0.75F);
  EXPECT_FLOAT_EQ(targets[0][2].item<float>(), 0.25F);
}

TEST(Mixing, CutMixTakesTheBoxOfTheImageBefore) {
  const Mix mix{.kept = 1 - 2.0 / 16, .cut = true, .left = 1, .top = 2, .right = 3, .bottom = 3};
  const at::Tensor images = mix_images(numbered(2, 4), mix);
  EXPECT_EQ(images[0].sum().item<float>(), 3 * 2) << "two pixels of three channels are the other's";
  EXPECT_EQ(images[0][0][2][1].item<float>(), 1);
  EXPECT_EQ(images[0][0][2][2].item<float>(), 1);
  EXPECT_EQ(images[1].sum().item<float>(), 3 * 14);
}

TEST(Mixing, OneImageStaysAsItIs) {
  for (const bool cut : {false, true}) {
    const Mix mix{.kept = 0.5, .cut = cut, .right = 2, .bottom = 2};
    const at::Tensor image = at::full({1, 3, 4, 4}, 7.0);
    EXPECT_TRUE(mix_images(image, mix).equal(image));
  }
}

TEST(Mixing, BoxesLieInsideAndLeaveWhatTheLabelSays) {
  Random random(1);
  const MixOptions options{.share = 1, .mixup_alpha = 0};
  double sum = 0;
  for (int i = 0; i < 2000; ++i) {
    const Mix mix = draw_mix(options, 10, 6, random);
    ASSERT_TRUE(mix.cut);
    ASSERT_TRUE(0 <= mix.left && mix.left <= mix.right && mix.right <= 10);
    ASSERT_TRUE(0 <= mix.top && mix.top <= mix.bottom && mix.bottom <= 6);
    const double area = static_cast<double>((mix.right - mix.left) * (mix.bottom - mix.top));
    EXPECT_DOUBLE_EQ(mix.kept, 1 - area / 60);
    sum += mix.kept;
  }
  EXPECT_GT(sum / 2000, 0.55) << "boxes that leave the picture are smaller";
}

TEST(Mixing, BothKindsAreDrawnEvenlyAndOneAloneWhereTheOtherHasNoAlpha) {
  Random random(2);
  int cuts = 0;
  for (int i = 0; i < 2000; ++i) cuts += draw_mix({.share = 1}, 8, 8, random).cut ? 1 : 0;
  EXPECT_NEAR(cuts, 1000, 100);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(draw_mix({.share = 1, .cutmix_alpha = 0}, 8, 8, random).cut);
  }
}

TEST(Mixing, BetaHasItsMomentsForEveryAlpha) {
  for (const double alpha : {0.05, 0.4, 1.0, 8.0}) {
    Random random(3);
    double sum = 0;
    double squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double value = draw_beta(alpha, random);
      ASSERT_TRUE(value >= 0 && value <= 1) << alpha;
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kDraws;
    const double variance = 1 / (4 * (2 * alpha + 1));
    EXPECT_NEAR(mean, 0.5, 0.02) << alpha;
    EXPECT_NEAR(squares / kDraws - mean * mean, variance, 0.05 * variance) << alpha;
  }
}

TEST(Mixing, NeedsAKind) {
  EXPECT_NO_THROW((MixOptions{.share = 0, .mixup_alpha = 0, .cutmix_alpha = 0}.check()));
  EXPECT_THROW((MixOptions{.share = 0.2, .mixup_alpha = 0, .cutmix_alpha = 0}.check()), Error);
}

}  // namespace
}  // namespace dd::classify
