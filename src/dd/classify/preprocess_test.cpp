// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/preprocess.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

class PreprocessTest : public testing::Test {
 protected:
  Preprocess load(const std::string& json, std::int64_t size = 32) const {
    write_file_atomically(folder_.path() / "preprocessor_config.json", json);
    return Preprocess::load(folder_.path(), size);
  }
  const test::TemporaryFolder folder_;
};

TEST_F(PreprocessTest, WithoutAFileOpenAiValuesHold) {
  const Preprocess preprocess = Preprocess::load(folder_.path(), 48);
  EXPECT_EQ(preprocess.size, 48);
  EXPECT_EQ(preprocess.resize_to, 48);
  EXPECT_DOUBLE_EQ(preprocess.mean[0], 0.48145466);
  EXPECT_DOUBLE_EQ(preprocess.std[2], 0.27577711);
}

TEST_F(PreprocessTest, ReadsBothSpellingsOfTransformers) {
  EXPECT_EQ(load(R"({"size": 40, "crop_size": 32})").resize_to, 40);
  const Preprocess newer = load(R"({"size": {"shortest_edge": 36},
      "crop_size": {"height": 32, "width": 32}, "resample": 2,
      "image_mean": [0.5, 0.25, 0], "image_std": [1, 2, 3]})");
  EXPECT_EQ(newer.resize_to, 36);
  EXPECT_EQ(newer.filter, ResizeFilter::kBilinear);
  EXPECT_DOUBLE_EQ(newer.mean[1], 0.25);
  EXPECT_DOUBLE_EQ(newer.std[2], 3);
}

TEST_F(PreprocessTest, ReadsTheFilesOfTransformers5AndOpenClip) {
  write_file_atomically(folder_.path() / "processor_config.json",
                        R"({"image_processor": {"size": {"shortest_edge": 36}, "crop_size": 32}})");
  EXPECT_EQ(Preprocess::load(folder_.path(), 32).resize_to, 36);
  const test::TemporaryFolder other;
  write_file_atomically(other.path() / "open_clip_config.json",
                        R"({"model_cfg": {}, "preprocess_cfg": {"mean": [0.5, 0.25, 0],
                            "std": [1, 2, 3], "interpolation": "bilinear",
                            "resize_mode": "squash"}})");
  // Settings beside a weights file count too.
  const Preprocess preprocess = Preprocess::load(other.path() / "weights.pt", 32);
  EXPECT_EQ(preprocess.filter, ResizeFilter::kBilinear);
  EXPECT_TRUE(preprocess.squash);
  EXPECT_DOUBLE_EQ(preprocess.mean[1], 0.25);
  EXPECT_DOUBLE_EQ(preprocess.std[2], 3);
  write_file_atomically(other.path() / "open_clip_config.json",
                        R"({"preprocess_cfg": {"resize_mode": "longest"}})");
  EXPECT_THROW(Preprocess::load(other.path(), 32), Error);
}

TEST_F(PreprocessTest, BothSidesMayBeGivenAndStepsLeftOut) {
  const Preprocess squashed =
      load(R"({"size": {"height": 32, "width": 32}, "do_center_crop": false})");
  EXPECT_EQ(squashed.fit(make_image(60, 20, 7)), make_image(32, 32, 7));
  const Preprocess raw = load(R"({"do_normalize": false})");
  const std::vector<Image> white{make_image(32, 32, 255)};
  EXPECT_FLOAT_EQ(raw.pixels(white, {}).min().item<float>(), 1.0F);
}

TEST_F(PreprocessTest, RefusesWhatDoesNotFitTheModel) {
  for (const char* json :
       {R"({"crop_size": 64})", R"({"size": 16})", R"({"size": "big"})", R"({"size": -4})",
        R"({"crop_size": {"height": 32, "width": 16}})", R"({"image_mean": [0.5]})",
        R"({"do_resize": false})", R"({"do_center_crop": false})", R"({"rescale_factor": 1})",
        R"({"size": {"shortest_edge": "big"}})", R"({"image_std": [1, 0, 1]})",
        R"({"resample": 9})", "[]", "{"}) {
    EXPECT_THROW(load(json), Error) << json;
  }
}

TEST_F(PreprocessTest, CutsTheMiddleAndNormalises) {
  const Preprocess preprocess =
      load(R"({"size": 4, "crop_size": 2, "image_mean": [0, 0.5, 1], "image_std": [1, 2, 4]})", 2);
  Image image = make_image(4, 4, 0);
  for (int y = 1; y < 3; ++y) {
    for (int x = 1; x < 3; ++x) image.pixel(x, y)[0] = 255;
  }
  const Image fitted = preprocess.fit(image);
  ASSERT_EQ(fitted.width, 2);
  const at::Tensor pixels = preprocess.pixels(std::vector<Image>{fitted}, {});
  ASSERT_EQ(pixels.sizes(), (std::vector<std::int64_t>{1, 3, 2, 2}));
  EXPECT_FLOAT_EQ(pixels[0][0][1][1].item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(pixels[0][1][0][0].item<float>(), -0.25F);
  EXPECT_FLOAT_EQ(pixels[0][2][0][0].item<float>(), -0.25F);
}

}  // namespace
}  // namespace dd::classify
