// SPDX-License-Identifier: Apache-2.0
// CLIP with both towers against transformers' CLIPModel.
#include "dd/models/clip.h"

#include <gtest/gtest.h>

#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::expect_close;
using test::oracle_path;

at::Tensor unit_length(const at::Tensor& features) {
  return features / features.norm(2, {-1}, true);
}

/// clip: the right end token, with a token added behind it. clip_legacy_end: eos_token_id 2, which
/// means the highest id, and the buffers that older files hold.
class ClipOracle : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path folder_ = oracle_path("models") / GetParam();
  io::SafetensorsFile expected_{folder_ / "expected.safetensors"};
  Clip clip_ = Clip::load(folder_, {});
};

TEST_P(ClipOracle, ImageFeaturesEqualTransformers) {
  expect_close(clip_.encode_images(expected_.tensor("pixels")),
               unit_length(expected_.tensor("image_features")), "image features");
}

TEST_P(ClipOracle, TextFeaturesEqualTransformers) {
  expect_close(clip_.encode_texts(expected_.tensor("input_ids")),
               unit_length(expected_.tensor("text_features")), "text features");
}

TEST_P(ClipOracle, LogitsEqualTransformers) {
  const at::Tensor images = clip_.encode_images(expected_.tensor("pixels"));
  const at::Tensor texts = clip_.encode_texts(expected_.tensor("input_ids"));
  expect_close(images.matmul(texts.t()) * clip_.logit_scale().exp(),
               expected_.tensor("logits_per_image"), "logits");
}

TEST_P(ClipOracle, TokensCutBehindTheLastEndTokenGiveTheSameFeatures) {
  const at::Tensor ids = expected_.tensor("input_ids");
  const std::int64_t length = used_length(ids, clip_.config().text.end_token);
  EXPECT_EQ(length, 9) << "the longest prompt has seven words between its two special tokens";
  expect_close(clip_.encode_texts(ids.slice(1, 0, length)),
               unit_length(expected_.tensor("text_features")), "text features");
}

TEST_P(ClipOracle, SavedFolderGivesTheSameFeaturesBitForBit) {
  const test::TemporaryFolder written;
  clip_.save(written.path() / "clip", at::kFloat);
  const Clip again = Clip::load(written.path() / "clip", {});
  const at::Tensor ids = expected_.tensor("input_ids");
  EXPECT_TRUE(again.encode_texts(ids).equal(clip_.encode_texts(ids)));
}

INSTANTIATE_TEST_SUITE_P(EndTokens, ClipOracle, ::testing::Values("clip", "clip_legacy_end"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::models
