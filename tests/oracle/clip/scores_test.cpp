// SPDX-License-Identifier: Apache-2.0
// Zero-shot scores of pictures of every kind against transformers' CLIPModel and image processor.
#include <gtest/gtest.h>

#include <cstdlib>

#include "dd/classify/clip_model.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

class ClipScores : public testing::Test {
 protected:
  const fs::path folder_ = test::oracle_path("clip");
  const Json index_ = read_json(folder_ / "index.json");
  const io::SafetensorsFile expected_{folder_ / "expected.safetensors"};

  /// Scores at scale 100, [image, class].
  at::Tensor scores(const ReadOptions& reading) const {
    const ClipModel model = ClipModel::load(test::oracle_path("models/clip"), {});
    NullReporter silent;
    const auto prompts = class_prompts(model, index_.at("classes").get<std::vector<std::string>>(),
                                       index_.at("template").get<std::string>(), silent);
    const at::Tensor texts = model.clip.encode_texts(prompts);
    std::vector<Image> fitted;
    for (const Json& name : index_.at("images")) {
      const std::string path = name.get<std::string>();
      fitted.push_back(model.preprocess.fit(
          read_image(folder_ / (path.starts_with("image/") ? "../" : "") / path, reading)));
    }
    const at::Tensor images = model.clip.encode_images(model.preprocess.pixels(fitted, {}));
    return images.matmul(texts.t()) * 100;
  }

  void expect_equal(const at::Tensor& ours, const at::Tensor& theirs) const {
    ASSERT_EQ(ours.sizes(), theirs.sizes());
    for (std::int64_t i = 0; i < ours.size(0); ++i) {
      const std::string name = index_.at("images").at(static_cast<std::size_t>(i));
      EXPECT_LT((ours[i] - theirs[i]).abs().max().item<float>(), 0.05F) << name;
      EXPECT_EQ(ours[i].argmax().item<std::int64_t>(), theirs[i].argmax().item<std::int64_t>())
          << name;
    }
  }
};

TEST_F(ClipScores, ReadAsTransformersReadsEqualTransformers) {
  ReadOptions reading;
  reading.as_transformers = true;
  expect_equal(scores(reading), expected_.tensor("scores.transformers"));
}

TEST_F(ClipScores, ReadAsTransformers5ConvertsEqualTransformers) {
  ReadOptions reading;
  reading.as_transformers = reading.alpha_over_white = true;
  expect_equal(scores(reading), expected_.tensor("scores.transformers-5"));
}

TEST_F(ClipScores, ReadAsSeenEqualTransformersOnTheSeenPicture) {
  expect_equal(scores({}), expected_.tensor("scores.seen"));
}

TEST_F(ClipScores, ResizedAndCutPicturesAreTransformersToOneLevel) {
  for (const auto& entry : fs::directory_iterator(folder_ / "images")) {
    const Image image = read_image(entry.path());
    for (const auto& [cut, settings] : index_.at("cuts").items()) {
      const test::TemporaryFolder folder;
      write_json(folder.path() / "preprocessor_config.json", settings);
      const Preprocess preprocess = Preprocess::load(folder.path(), 16);
      const Image fitted = preprocess.fit(image);
      const std::string name = cat("levels.", entry.path().filename().string(), ".", cut);
      const at::Tensor theirs = expected_.tensor(name).permute({1, 2, 0}).contiguous();
      ASSERT_EQ(static_cast<std::int64_t>(fitted.rgb.size()), theirs.numel()) << name;
      int most = 0;
      for (std::size_t i = 0; i < fitted.rgb.size(); ++i)
        most = std::max(most, std::abs(fitted.rgb[i] - theirs.const_data_ptr<std::uint8_t>()[i]));
      EXPECT_LE(most, 1) << name;
    }
  }
}

}  // namespace
}  // namespace dd::classify
