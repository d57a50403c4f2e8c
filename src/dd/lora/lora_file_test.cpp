// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_file.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/tensor/device.h"
#include "support/lora_model.h"
#include "support/temporary_folder.h"

namespace dd::lora {
namespace {

using dd::test::kOut;
using dd::test::kQuery;
using dd::test::LoraModel;

class LoraFileTest : public ::testing::Test {
 protected:
  /// One pair for each target under the names of some program: `query` and `out` are the layers.
  struct Names {
    std::string query, out, down, up;
  };
  io::NamedTensors tensors(const Names& names) const {
    return {{names.query + names.down, pair_[0]},
            {names.query + names.up, pair_[1]},
            {names.out + names.down, pair_[2]},
            {names.out + names.up, pair_[3]}};
  }
  LoraFile read(const io::NamedTensors& tensors, const io::Metadata& metadata = {}) const {
    io::write_safetensors(file_, tensors, metadata);
    return read_lora(file_, std::span(&part_, 1));
  }
  /// What the error of reading says.
  std::string refusal(const io::NamedTensors& tensors, const io::Metadata& metadata = {}) const {
    try {
      read(tensors, metadata);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "nothing was wrong";
  }

  const Names ours_{kQuery, kOut, ".lora_A.weight", ".lora_B.weight"};
  const std::vector<at::Tensor> pair_{seeded_randn({2, 6}, 1), seeded_randn({5, 2}, 2),
                                      seeded_randn({2, 5}, 3), seeded_randn({4, 2}, 4)};
  dd::test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "lora.safetensors";
  LoraModel model_;
  ModelPart part_ = model_.part();
};

TEST_F(LoraFileTest, WhatIsWrittenIsReadBack) {
  LoraSet set(std::span(&part_, 1), attention_targets(), {.rank = 2, .alpha = 3}, 1);
  const LoraRecord record{.base_model = "abc",
                          .prompt_template = "a photo of a {}",
                          .class_name = "ankle boot",
                          .data = "def",
                          .settings = "{\"rank\": 2}"};
  write_lora(file_, set.weights(), record);
  const LoraFile found = read_lora(file_, std::span(&part_, 1));
  ASSERT_EQ(found.weights.pairs.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const LoraPair& want = set.weights().pairs[i];
    EXPECT_EQ(found.weights.pairs[i].layer, want.layer);
    EXPECT_EQ(found.weights.pairs[i].scale, 1.5);
    EXPECT_TRUE(found.weights.pairs[i].down.equal(want.down));
    EXPECT_TRUE(found.weights.pairs[i].up.equal(want.up));
  }
  EXPECT_EQ(found.record.base_model, "abc");
  EXPECT_EQ(found.record.prompt_template, "a photo of a {}");
  EXPECT_EQ(found.record.class_name, "ankle boot");
  EXPECT_EQ(found.record.data, "def");
  EXPECT_EQ(found.record.settings, "{\"rank\": 2}");
}

TEST_F(LoraFileTest, ReadsEveryFamilyOfNames) {
  const std::vector<Names> families{
      ours_,
      {"unet.base_model.model.mid.attn1.to_q", "unet.base_model.model.mid.attn1.to_out.0",
       ".lora_A.weight", ".lora_B.weight"},
      {kQuery, kOut, ".lora.down.weight", ".lora.up.weight"},
      {kQuery, kOut, ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"},
      {"unet.mid.attn1.processor.to_q", "unet.mid.attn1.processor.to_out", "_lora.down.weight",
       "_lora.up.weight"},
      {"mid.attn1.processor.to_q", "mid.attn1.processor.to_out", "_lora.down.weight",
       "_lora.up.weight"},
      {"lora_unet_mid_attn1_to_q", "lora_unet_mid_attn1_to_out_0", ".lora_down.weight",
       ".lora_up.weight"}};
  for (const Names& names : families) {
    const LoraFile found = read(tensors(names));
    ASSERT_EQ(found.weights.pairs.size(), 2U) << names.query;
    EXPECT_EQ(found.weights.pairs[1].layer, kQuery);
    EXPECT_TRUE(found.weights.pairs[1].down.equal(pair_[0])) << names.query;
    EXPECT_TRUE(found.weights.pairs[0].up.equal(pair_[3])) << names.query;
    EXPECT_EQ(found.weights.pairs[0].scale, 1) << "without alpha, alpha is the rank";
  }
}

TEST_F(LoraFileTest, TakesEachLayersOwnAlphaFirst) {
  io::NamedTensors kohya = tensors({"lora_unet_mid_attn1_to_q", "lora_unet_mid_attn1_to_out_0",
                                    ".lora_down.weight", ".lora_up.weight"});
  kohya.emplace_back("lora_unet_mid_attn1_to_q.alpha", at::full({}, 8.0));
  kohya[0].second = kohya[0].second.reshape({2, 6, 1, 1});
  const LoraFile found = read(kohya);
  EXPECT_EQ(found.weights.pairs[1].scale, 4);
  EXPECT_EQ(found.weights.pairs[0].scale, 1);
  EXPECT_TRUE(found.weights.pairs[1].down.equal(pair_[0]));
}

TEST_F(LoraFileTest, TakesScalesFromTheMetadata) {
  const auto scales = [&](const std::string& json) {
    const LoraFile found = read(tensors(ours_), {{"lora_adapter_metadata", json}});
    return std::pair(found.weights.pairs[0].scale, found.weights.pairs[1].scale);
  };
  EXPECT_EQ(scales(R"({"unet.lora_alpha": 8})"), std::pair(4.0, 4.0));
  EXPECT_EQ(scales(R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"to_q": 1}})"),
            std::pair(4.0, 0.5));
  EXPECT_DOUBLE_EQ(scales(R"({"unet.lora_alpha": 8, "unet.use_rslora": true})").first,
                   8 / std::sqrt(2.0));
  EXPECT_EQ(scales(R"({"text_encoder.lora_alpha": 8})"), std::pair(1.0, 1.0));
}

TEST_F(LoraFileTest, NamesWhatItCannotUse) {
  io::NamedTensors unknown = tensors(ours_);
  unknown.emplace_back("unet.mid.conv.lora_A.weight", pair_[0]);
  EXPECT_NE(refusal(unknown).find("unet.mid.conv.lora_A.weight"), std::string::npos);
  io::NamedTensors stranger = tensors(ours_);
  stranger.emplace_back("epoch", pair_[0]);
  EXPECT_NE(refusal(stranger).find("\"epoch\""), std::string::npos);
  io::NamedTensors half = tensors(ours_);
  half.pop_back();
  EXPECT_NE(refusal(half).find("\"unet.mid.attn1.to_out.0.lora_A.weight\" lacks its other half"),
            std::string::npos);
  io::NamedTensors twice = tensors(ours_);
  twice.emplace_back("lora_unet_mid_attn1_to_q.lora_down.weight", pair_[0]);
  EXPECT_NE(refusal(twice).find("two names"), std::string::npos);
  io::NamedTensors narrow = tensors(ours_);
  narrow[0].second = seeded_randn({2, 7}, 1);
  EXPECT_NE(refusal(narrow).find("2x7"), std::string::npos);
  io::NamedTensors whole = tensors(ours_);
  whole[0].second = at::full({2, 6}, 1).to(at::kLong);
  EXPECT_NE(refusal(whole).find("does not hold numbers"), std::string::npos);
  EXPECT_NE(refusal({}).find("no LoRA"), std::string::npos);
  EXPECT_NE(refusal(tensors(ours_), {{"lora_adapter_metadata", "{"}}).find("damaged"),
            std::string::npos);
  EXPECT_NE(refusal(tensors(ours_), {{"lora_adapter_metadata", R"({"unet.use_dora": true})"}})
                .find("DoRA"),
            std::string::npos);
}

TEST_F(LoraFileTest, RanksAndScalesMayDifferFromLayerToLayer) {
  const LoraWeights mixed{{{kOut, seeded_randn({3, 5}, 5), seeded_randn({4, 3}, 6), 1},
                           {kQuery, pair_[0], pair_[1], 2}}};
  write_lora(file_, mixed, {});
  const LoraFile found = read_lora(file_, std::span(&part_, 1));
  ASSERT_EQ(found.weights.pairs.size(), 2U);
  EXPECT_EQ(found.weights.pairs[0].scale, 1);
  EXPECT_EQ(found.weights.pairs[1].scale, 2);
  EXPECT_EQ(found.weights.pairs[0].rank(), 3);
  EXPECT_EQ(found.weights.pairs[1].rank(), 2);
}

}  // namespace
}  // namespace dd::lora
