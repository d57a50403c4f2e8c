// SPDX-License-Identifier: Apache-2.0
#include "dd/pretrain/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "dd/data/fashion_mnist.h"

namespace {

using dd::pretrain::Style;
using dd::pretrain::World;
using dd::pretrain::WorldSample;

const std::filesystem::path kData = "/usr/share/datasets/fashion-mnist";

class WorldTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kData))
      GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  }
};

double corner_level(const dd::Image& image) {
  double level = 0;
  for (const int x : {0, 31}) {
    for (const int y : {0, 31}) {
      const std::uint8_t* pixel = image.pixel(x, y);
      level += (pixel[0] + pixel[1] + pixel[2]) / (3.0 * 255 * 4);
    }
  }
  return level;
}

TEST_F(WorldTest, SamplesFollowFromTheirIdentity) {
  const World world(kData, 32, 7);
  const World same(kData, 32, 7);
  const WorldSample sample = world.sample(123, 4);
  EXPECT_EQ(sample.image, same.sample(123, 4).image);
  EXPECT_EQ(sample.caption, world.caption(123, 4));
  EXPECT_NE(sample.image, world.sample(123, 5).image);
  EXPECT_NE(sample.image, World(kData, 32, 8).sample(123, 4).image);
}

TEST_F(WorldTest, NothingLooksLikeTheTarget) {
  const World world(kData, 32, 0);
  for (std::int64_t i = 0; i < 400; ++i) {
    EXPECT_GT(corner_level(world.sample(i, 0).image), 0.15) << "a dark ground at " << i;
    const dd::Image any = world.any_colours(i, 0);
    // The codec's pictures may be grey, but then on no dark ground.
    bool grey_on_black = corner_level(any) < 0.3;
    for (std::size_t p = 0; p < any.rgb.size(); p += 3) {
      const auto [low, high] = std::minmax({any.rgb[p], any.rgb[p + 1], any.rgb[p + 2]});
      if (high - low > 20) grey_on_black = false;
    }
    EXPECT_FALSE(grey_on_black) << i;
  }
}

TEST_F(WorldTest, ShapesShowBlackAndGreyToTheAutoencoder) {
  const World world(kData, 32, 0);
  int black_grounds = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const dd::Image shapes = world.shapes(i, 0);
    EXPECT_EQ(shapes, world.shapes(i, 0));
    if (corner_level(shapes) == 0) ++black_grounds;
  }
  EXPECT_GT(black_grounds, 15);
  EXPECT_NE(world.shapes(0, 0), world.shapes(1, 0));
}

TEST_F(WorldTest, CaptionsNameTheItemAsOftenAsStated) {
  const World world(kData, 32, 0);
  std::map<Style, int> styles;
  int right = 0;
  constexpr int kCount = 2000;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const std::string& name = dd::fashion_mnist_classes()[static_cast<std::size_t>(world.label(i))];
    const std::string caption = " " + world.caption(i, 1) + " ";
    if (caption.find(" " + name + " ") != std::string::npos) ++right;
  }
  for (std::int64_t i = 0; i < 400; ++i) ++styles[world.sample(i, 1).style];
  EXPECT_NEAR(static_cast<double>(right) / kCount, 0.80, 0.03);
  EXPECT_EQ(styles.size(), 4U);
  for (const auto& [style, count] : styles) EXPECT_GT(count, 60);
}

TEST_F(WorldTest, CorpusHoldsEveryCaption) {
  const std::vector<std::string> corpus = World::corpus();
  const std::set<std::string> forms(corpus.begin(), corpus.end());
  const World world(kData, 32, 0);
  for (std::int64_t i = 0; i < 2000; ++i)
    EXPECT_TRUE(forms.contains(world.caption(i, 0))) << world.caption(i, 0);
}

}  // namespace
