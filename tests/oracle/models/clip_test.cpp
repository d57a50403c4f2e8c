// SPDX-License-Identifier: Apache-2.0
// CLIP with both towers against transformers' CLIPModel.
#include "dd/models/clip.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "dd/core/error.h"
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

TEST_P(ClipOracle, PromptsCutAndWithACommonBeginningGiveTheSameFeatures) {
  const std::int64_t end = clip_.config().text.end_token;
  const ClipPrompts prompts = clip_prompts(expected_.tensor("input_ids"), end);
  EXPECT_EQ(prompts.tokens.size(1), 9)
      << "the longest prompt has seven words between its two special tokens";
  EXPECT_GE(prompts.shared, 1) << "all begin with the same special token";
  expect_close(clip_.encode_texts(prompts.tokens), unit_length(expected_.tensor("text_features")),
               "cut");
  for (std::int64_t shared = 0; shared <= prompts.shared; ++shared) {
    expect_close(clip_.encode_texts(ClipPrompts{prompts.tokens, shared}),
                 unit_length(expected_.tensor("text_features")), cat(shared, " shared"));
  }
}

TEST_P(ClipOracle, WhatPromptsHaveInCommonGetsTheGradientOfAll) {
  const at::Tensor ids = expected_.tensor("input_ids");
  at::Tensor tokens = ids.clone();
  tokens.narrow(1, 1, 2).copy_(ids.narrow(0, 0, 1).narrow(1, 1, 2).expand({ids.size(0), 2}));
  const ClipPrompts prompts = clip_prompts(tokens, clip_.config().text.end_token);
  ASSERT_GE(prompts.shared, 2);
  std::vector<at::Tensor> learning;
  for (const auto& [name, value] : clip_.parameters().entries()) {
    if (name.starts_with("text_model.encoder")) learning.push_back(value.set_requires_grad(true));
  }
  const auto gradients = [&](const at::Tensor& features) {
    const at::Tensor pull = at::arange(features.numel()).view(features.sizes()).cos();
    return torch::autograd::grad({(features * pull).sum()}, learning);
  };
  const auto want = gradients(clip_.encode_texts(prompts.tokens));
  const auto got = gradients(clip_.encode_texts(prompts));
  for (std::size_t i = 0; i < want.size(); ++i) {
    // Biases of keys have none but rounding: a softmax does not see them.
    if (want[i].abs().max().item<double>() > 1e-5)
      expect_close(got[i], want[i], cat("parameter ", i));
  }
}

TEST(ClipPrompts, EndTokensAreNeverShared) {
  const at::Tensor tokens = at::tensor({1, 7, 9, 0, 0, 1, 7, 9, 0, 0}, at::kLong).view({2, 5});
  EXPECT_EQ(clip_prompts(tokens, 9).shared, 2);
  EXPECT_EQ(clip_prompts(tokens, 9).tokens.size(1), 3);
  const at::Tensor first_ends = at::tensor({1, 7, 9, 0, 0, 1, 7, 7, 9, 0}, at::kLong).view({2, 5});
  EXPECT_EQ(clip_prompts(first_ends, 9).shared, 2);
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
