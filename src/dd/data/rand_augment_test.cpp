// SPDX-License-Identifier: Apache-2.0
#include "dd/data/rand_augment.h"

#include <gtest/gtest.h>

#include <set>

#include "dd/core/error.h"
#include "dd/data/affine.h"
#include "dd/data/augment.h"
#include "dd/data/colour_ops.h"

namespace dd {
namespace {

Image noise(int width, int height, std::uint64_t seed) {
  Random random(seed);
  Image image = make_image(width, height);
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

TEST(Affine, TakesPixelsFromWhereTheMapSays) {
  const Image image = noise(7, 5, 1);
  EXPECT_EQ(transform(image, {}), image);
  const Image moved = transform(image, {.x0 = 2, .y0 = -1});
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 7; ++x) {
      const bool inside = x + 2 < 7 && y >= 1;
      EXPECT_EQ(moved.pixel(x, y)[0], inside ? image.pixel(x + 2, y - 1)[0] : 0);
    }
  }
}

TEST(Affine, ARightAngleKeepsEveryPixel) {
  const Image image = noise(6, 6, 2);
  const Image turned = transform(image, rotation(image, 90));
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) EXPECT_EQ(turned.pixel(x, y)[1], image.pixel(5 - y, x)[1]);
  }
}

TEST(RandAugment, MagnitudeZeroChangesNothingButWhatHasNone) {
  const Image image = noise(20, 12, 3);
  for (int i = 0; i < kRandOps; ++i) {
    const auto operation = static_cast<RandOp>(i);
    if (operation == RandOp::kAutoContrast || operation == RandOp::kEqualise) continue;
    // 255, the lowest magnitude's threshold, is itself inverted.
    if (operation == RandOp::kSolarise) continue;
    EXPECT_EQ(apply(image, operation, 0, true), image) << i;
  }
}

TEST(RandAugment, EveryOperationChangesAPictureAtItsStrongest) {
  const Image image = noise(40, 30, 4);  // equalising needs more pixels than levels
  for (int i = 1; i < kRandOps; ++i) {
    const auto operation = static_cast<RandOp>(i);
    if (operation == RandOp::kAutoContrast) continue;  // noise has the whole range
    EXPECT_NE(apply(image, operation, kLargestMagnitude, false), image) << i;
  }
  EXPECT_THROW(apply(image, RandOp::kRotate, kLargestMagnitude + 1, false), Error);
}

TEST(RandAugment, FollowsTheSeedAndDrawsAllOperations) {
  const Image image = noise(16, 16, 5);
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random one(seed), two(seed);
    const Image changed = rand_augment(image, 1, 9, one);
    EXPECT_EQ(changed, rand_augment(image, 1, 9, two));
    seen.insert(changed.rgb);
  }
  // 9 operations with two signs, 4 without; the identity and what stretching leaves are one.
  EXPECT_GE(seen.size(), 21);
  EXPECT_LE(seen.size(), 23);
}

TEST(RandAugment, WorksOnTheSmallestPictures) {
  Random random(6);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(rand_augment(noise(1, 2, 7), 3, 30, random).rgb.size(), 6);
  }
}

TEST(RandAugment, DrawsNothingWhereItIsOff) {
  AugmentOptions options = no_augmentation();
  Random with(1), without(1);
  options.rand_augment = 0;
  augment(noise(8, 8, 1), 8, options, with);
  for (int i = 0; i < 5; ++i) without.uniform();  // flip, jitter, grey, blur, solarise
  EXPECT_EQ(with.next(), without.next()) << "augmentations of earlier versions stay what they were";
}

TEST(RandAugment, ThePaperPresetUsesAllParts) {
  const AugmentOptions paper = paper_augmentation();
  EXPECT_NO_THROW(check_options(paper));
  EXPECT_EQ(paper.rand_augment, 2);
  const Image image = noise(40, 30, 8);
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    seen.insert(augment(image, 24, paper, random).rgb);
  }
  EXPECT_EQ(seen.size(), 30);
}

TEST(ColourOps, PosteriseKeepsTheHighestBits) {
  Image image{1, 1, {0xFF, 0x8F, 0x37}};
  posterise(image, 4);
  EXPECT_EQ(image, (Image{1, 1, {0xF0, 0x80, 0x30}}));
  posterise(image, 8);
  EXPECT_EQ(image, (Image{1, 1, {0xF0, 0x80, 0x30}}));
  posterise(image, 0);
  EXPECT_EQ(image, make_image(1, 1));
}

TEST(ColourOps, AutoContrastStretchesEachChannelAndLeavesFlatOnes) {
  Image image{3, 1, {50, 9, 0, 100, 9, 128, 150, 9, 255}};
  auto_contrast(image);
  EXPECT_EQ(image, (Image{3, 1, {0, 9, 0, 127, 9, 128, 255, 9, 255}}));
}

TEST(ColourOps, EqualiseSpreadsValuesEvenly) {
  // A dark ramp, each of 64 values 256 times.
  Image image = make_image(64, 256);
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 64; ++x) image.pixel(x, y)[0] = static_cast<std::uint8_t>(x);
  }
  equalise(image);
  EXPECT_LE(image.pixel(0, 0)[0], 1);
  EXPECT_GE(image.pixel(63, 0)[0], 250);
  EXPECT_NEAR(image.pixel(32, 0)[0], 128, 3);
  EXPECT_EQ(image.pixel(5, 5)[1], 0) << "a channel of one value stays";
}

TEST(ColourOps, SharpnessMovesAwayFromTheSmoothedPicture) {
  const Image before = noise(9, 7, 9);
  Image image = before;
  adjust_sharpness(image, 1);
  EXPECT_EQ(image, before);
  Image point = make_image(5, 5, 13);
  point.pixel(2, 2)[0] = 65;
  adjust_sharpness(point, 0);
  EXPECT_EQ(point.pixel(2, 2)[0], 33);  // (8 * 13 + 5 * 65) / 13
  EXPECT_EQ(point.pixel(1, 1)[0], 17);  // (12 * 13 + 65) / 13
  EXPECT_EQ(point.pixel(0, 0)[0], 13);
}

}  // namespace
}  // namespace dd
