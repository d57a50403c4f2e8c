// SPDX-License-Identifier: Apache-2.0
// Equality with PIL is tested in tests/oracle/image.
#include "dd/image/resize.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

// Red counts columns, green counts rows.
dd::Image counting(int width, int height) {
  dd::Image image = dd::make_image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixel(x, y)[0] = static_cast<std::uint8_t>(x);
      image.pixel(x, y)[1] = static_cast<std::uint8_t>(y);
    }
  }
  return image;
}

TEST(Resize, FlatPicturesStayFlat) {
  using enum dd::ResizeFilter;
  for (const auto filter : {kBox, kBilinear, kBicubic, kLanczos}) {
    for (const int level : {0, 1, 127, 254, 255}) {
      const auto grey = static_cast<std::uint8_t>(level);
      EXPECT_EQ(dd::resize(dd::make_image(50, 31, grey), 17, 90, filter),
                dd::make_image(17, 90, grey));
    }
  }
}

TEST(Resize, ShortSideKeepsTheShape) {
  const dd::Image wide = dd::resize_short_side(counting(100, 67), 32);
  EXPECT_EQ(wide.width, 47);  // 32 * 100 / 67 = 47.76, rounded down
  EXPECT_EQ(wide.height, 32);
  const dd::Image high = dd::resize_short_side(counting(67, 100), 32);
  EXPECT_EQ(high.width, 32);
  EXPECT_EQ(high.height, 47);
}

TEST(Crop, TakesTheNamedPixels) {
  const dd::Image part = dd::crop(counting(20, 30), 3, 5, 4, 6);
  ASSERT_EQ(part.width, 4);
  ASSERT_EQ(part.height, 6);
  EXPECT_EQ(part.pixel(0, 0)[0], 3);
  EXPECT_EQ(part.pixel(3, 5)[0], 6);
  EXPECT_EQ(part.pixel(3, 5)[1], 10);
  EXPECT_THROW(dd::crop(counting(20, 30), 17, 0, 4, 6), dd::Error);
  EXPECT_THROW(dd::crop(counting(20, 30), -1, 0, 4, 6), dd::Error);
}

TEST(Crop, CenterLeavesTheOddPixelRightAndBelow) {
  const dd::Image middle = dd::center_crop(counting(13, 10), 10);
  EXPECT_EQ(middle.pixel(0, 0)[0], 1);
  EXPECT_EQ(middle.pixel(0, 0)[1], 0);
  EXPECT_THROW(dd::center_crop(counting(13, 9), 10), dd::Error);
}

TEST(Flip, MirrorsColumnsOnly) {
  const dd::Image flipped = dd::flip_horizontal(counting(7, 3));
  EXPECT_EQ(flipped.pixel(0, 2)[0], 6);
  EXPECT_EQ(flipped.pixel(0, 2)[1], 2);
  EXPECT_EQ(dd::flip_horizontal(flipped), counting(7, 3));
}

}  // namespace
