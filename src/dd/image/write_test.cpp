// SPDX-License-Identifier: Apache-2.0
#include "dd/image/write.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/seeds.h"
#include "dd/image/read.h"
#include "support/temporary_folder.h"

namespace {

dd::Image noise(int width, int height, std::uint64_t seed) {
  dd::Random random(seed);
  dd::Image image = dd::make_image(width, height);
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

TEST(WritePng, RoundTripIsExact) {
  const dd::test::TemporaryFolder folder;
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 50}, {33, 7}, {128, 128}}) {
    const dd::Image image = noise(width, height, 5);
    const auto path = folder.path() / "deep" / "a.png";
    dd::write_png(path, image);
    EXPECT_EQ(dd::read_image(path), image) << width << "x" << height;
  }
}

TEST(WritePng, EqualImagesGiveEqualBytes) {
  EXPECT_EQ(dd::encode_png(noise(20, 30, 1)), dd::encode_png(noise(20, 30, 1)));
}

TEST(WritePng, RefusesAPictureWithoutItsPixels) {
  EXPECT_THROW(dd::encode_png({4, 4, {}}), dd::Error);
  EXPECT_THROW(dd::encode_png({}), dd::Error);
}

TEST(ContactSheet, PlacesEveryPixel) {
  const std::vector<dd::Image> images{noise(3, 2, 1), noise(2, 3, 2), noise(3, 3, 3)};
  const dd::Image sheet = dd::contact_sheet(images, 2, 2, 1);
  // Two columns and two rows of cells of 6 x 6, one pixel between them.
  ASSERT_EQ(sheet.width, 13);
  ASSERT_EQ(sheet.height, 13);
  const auto same = [](const std::uint8_t* a, const std::uint8_t* b) {
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
  };
  EXPECT_TRUE(same(sheet.pixel(5, 3), images[0].pixel(2, 1)));
  EXPECT_TRUE(same(sheet.pixel(7, 0), images[1].pixel(0, 0)));
  EXPECT_TRUE(same(sheet.pixel(4, 12), images[2].pixel(2, 2)));
  for (const auto& [x, y] : {std::pair{6, 3}, {3, 6}, {0, 5}, {12, 12}}) {
    EXPECT_EQ(*sheet.pixel(x, y), 255) << x << ", " << y;
  }
}

}  // namespace
