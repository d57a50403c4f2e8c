// SPDX-License-Identifier: Apache-2.0
// Augmentation against torchvision on PIL pictures (tools/oracle/augment.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "dd/core/json.h"
#include "dd/data/colour_ops.h"
#include "dd/data/rand_augment.h"
#include "dd/image/resize.h"
#include "support/oracle.h"

namespace dd {
namespace {

using test::oracle_path;

Image image_of(const at::Tensor& levels) {
  const at::Tensor packed = levels.contiguous();
  const auto* bytes = packed.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(levels.size(1)),
          static_cast<int>(levels.size(0)),
          {bytes, bytes + packed.numel()}};
}

void change_by_value(Image& image, const std::string& kind, double value) {
  if (kind == "brightness") return adjust_brightness(image, value);
  if (kind == "contrast") return adjust_contrast(image, value);
  if (kind == "saturation") return adjust_saturation(image, value);
  if (kind == "hue") return adjust_hue(image, value);
  if (kind == "blur") return blur(image, value);
  ASSERT_EQ(kind, "solarise");
  solarise(image, static_cast<int>(value));
}

Image changed(const Image& source, const Json& one) {
  const std::string kind = one.at("kind");
  if (kind == "rand") {
    return apply(source, static_cast<RandOp>(one.at("operation").get<int>()),
                 one.at("magnitude").get<int>(), one.at("negative").get<bool>());
  }
  if (kind == "crop") {
    const int size = one.at("size");
    return resize(crop(source, one.at("left"), one.at("top"), one.at("width"), one.at("height")),
                  size, size);
  }
  if (kind == "flip") return flip_horizontal(source);
  Image image = source;
  if (kind == "grey") {
    make_grey(image);
  } else {
    change_by_value(image, kind, one.at("value").get<double>());
  }
  return image;
}

TEST(AugmentOracle, PicturesAreThoseOfTorchvision) {
  const io::SafetensorsFile pictures(oracle_path("augment/pictures.safetensors"));
  const Json cases = read_json(oracle_path("augment/index.json"));
  ASSERT_GT(cases.size(), 70);
  for (const Json& one : cases) {
    const std::string name = one.at("name");
    const Image expected = image_of(pictures.tensor(name));
    const Image actual = changed(image_of(pictures.tensor(one.at("picture"))), one);
    ASSERT_EQ(actual.rgb.size(), expected.rgb.size()) << name;
    int most = 0;
    double sum = 0;
    for (std::size_t i = 0; i < actual.rgb.size(); ++i) {
      const int gap = std::abs(int{actual.rgb[i]} - int{expected.rgb[i]});
      most = std::max(most, gap);
      sum += gap;
    }
    EXPECT_LE(most, one.at("near").at("most").get<int>()) << name;
    EXPECT_LE(sum / static_cast<double>(actual.rgb.size()), one.at("near").at("mean").get<double>())
        << name;
  }
}

}  // namespace
}  // namespace dd
