// SPDX-License-Identifier: Apache-2.0
#include "dd/data/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "dd/core/error.h"
#include "dd/data/colour_ops.h"
#include "dd/image/resize.h"

namespace {

dd::Image noise(int width, int height, std::uint64_t seed) {
  dd::Random random(seed);
  dd::Image image = dd::make_image(width, height);
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

dd::Image one_pixel(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return {1, 1, {red, green, blue}};
}

TEST(Augment, FollowsTheSeedAlone) {
  dd::AugmentOptions options;
  options.hue = 0.1;
  options.greyscale = options.blur = options.solarise = 0.5;
  const dd::Image image = noise(50, 40, 1);
  int different = 0;
  dd::Image last;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    dd::Random one(seed), two(seed);
    const dd::Image first = dd::augment(image, 32, options, one);
    EXPECT_EQ(first, dd::augment(image, 32, options, two));
    EXPECT_EQ(first.width, 32);
    EXPECT_EQ(first.height, 32);
    different += first != last ? 1 : 0;
    last = first;
  }
  EXPECT_EQ(different, 20);
}

TEST(Augment, SwitchedOffItOnlyFitsTheSize) {
  dd::Random random(1);
  const dd::Image image = noise(60, 40, 2);
  EXPECT_EQ(dd::augment(image, 24, dd::no_augmentation(), random),
            dd::center_crop(dd::resize_short_side(image, 24), 24));
}

TEST(Augment, WorksFromOnePixelToLargeSizes) {
  dd::AugmentOptions options;
  options.crop_min_area = 0.05;
  options.crop_max_aspect = 4;
  options.blur = options.jitter = 1;
  options.hue = 0.5;
  dd::Random random(4);
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 90}, {28, 28}, {300, 20}}) {
    for (const int size : {1, 32, 224}) {
      const dd::Image image = dd::augment(noise(width, height, 3), size, options, random);
      EXPECT_EQ(image.width, size);
      EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(size * size * 3));
    }
  }
}

TEST(Augment, FlipsWithItsProbability) {
  dd::AugmentOptions options = dd::no_augmentation();
  options.flip = 0.25;
  const dd::Image image = noise(8, 8, 1);
  const dd::Image flipped = dd::flip_horizontal(image);
  dd::Random random(7);
  int flips = 0;
  for (int i = 0; i < 2000; ++i) {
    const dd::Image result = dd::augment(image, 8, options, random);
    ASSERT_TRUE(result == image || result == flipped);
    flips += result == flipped ? 1 : 0;
  }
  EXPECT_NEAR(flips, 500, 80);  // four standard deviations
}

TEST(Augment, CropsStayInsideTheAreaTheyMayLose) {
  // A horizontal ramp: the range of a crop tells its width.
  dd::Image ramp = dd::make_image(256, 256);
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) ramp.pixel(x, y)[0] = static_cast<std::uint8_t>(x);
  }
  dd::AugmentOptions options = dd::no_augmentation();
  options.crop_min_area = 0.25;
  options.crop_max_aspect = 1.0;
  dd::Random random(5);
  int narrowest = 256;
  for (int i = 0; i < 300; ++i) {
    const dd::Image result = dd::augment(ramp, 16, options, random);
    // The first and last of 16 samples are 15/16 of the crop's width apart.
    narrowest = std::min(narrowest, (result.pixel(15, 8)[0] - result.pixel(0, 8)[0]) * 16 / 15);
  }
  EXPECT_GE(narrowest, 124);
  EXPECT_LE(narrowest, 140);
}

TEST(Augment, OptionsAreChecked) {
  dd::AugmentOptions options;
  EXPECT_NO_THROW(dd::check_options(options));
  options.flip = 1.5;
  EXPECT_THROW(dd::check_options(options), dd::Error);
}

TEST(ColourOps, KnownPixels) {
  dd::Image image = one_pixel(200, 100, 50);
  dd::adjust_brightness(image, 0.5);
  EXPECT_EQ(image, one_pixel(100, 50, 25));
  dd::adjust_brightness(image, 9);
  EXPECT_EQ(image, one_pixel(255, 255, 225));
  image = one_pixel(200, 100, 50);
  dd::make_grey(image);
  EXPECT_EQ(image, one_pixel(124, 124, 124));  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
  image = one_pixel(200, 100, 50);
  dd::solarise(image);
  EXPECT_EQ(image, one_pixel(55, 100, 50));
}

TEST(ColourOps, HueTurnsThroughTheColours) {
  dd::Image image = one_pixel(200, 40, 40);
  dd::adjust_hue(image, 1.0 / 3);
  EXPECT_EQ(image, one_pixel(40, 200, 40));
  dd::adjust_hue(image, 1.0 / 3);
  EXPECT_EQ(image, one_pixel(40, 40, 200));
  dd::adjust_hue(image, -0.5);
  EXPECT_EQ(image, one_pixel(200, 200, 40));
  const dd::Image before = noise(9, 9, 6);
  image = before;
  dd::adjust_hue(image, 0);
  EXPECT_EQ(image, before);
}

TEST(ColourOps, ContrastZeroIsTheMeanAndOneChangesNothing) {
  const dd::Image before = noise(20, 20, 8);
  dd::Image image = before;
  dd::adjust_contrast(image, 1);
  dd::adjust_saturation(image, 1);
  EXPECT_EQ(image, before);
  dd::adjust_contrast(image, 0);
  EXPECT_EQ(image, dd::make_image(20, 20, image.rgb[0]));
}

TEST(ColourOps, BlurSpreadsAPointAsAGaussian) {
  dd::Image image = dd::make_image(21, 21);
  image.pixel(10, 10)[1] = 255;
  dd::blur(image, 1.0);
  // 255 / (2 pi) at the centre, exp(-1/2) of it beside, nothing in other channels.
  EXPECT_NEAR(image.pixel(10, 10)[1], 40.6, 1.5);
  EXPECT_NEAR(image.pixel(11, 10)[1], 24.6, 1.5);
  EXPECT_EQ(image.pixel(11, 10)[1], image.pixel(10, 9)[1]);
  EXPECT_EQ(image.pixel(10, 10)[0], 0);
  dd::Image flat = dd::make_image(5, 7, 90);
  dd::blur(flat, 3.0);
  EXPECT_EQ(flat, dd::make_image(5, 7, 90));
}

}  // namespace
