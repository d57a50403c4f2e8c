// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_content.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/lora/lora_file.h"
#include "dd/lora/merged_lora.h"
#include "dd/tensor/device.h"
#include "support/lora_model.h"
#include "support/temporary_folder.h"

namespace dd::lora {
namespace {

const std::string kBlock = "down_blocks.0.attentions.0.";
const std::string kSquashed = "lora_unet_down_blocks_0_attentions_0_";

class LoraContentTest : public ::testing::Test {
 protected:
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  /// A kohya file as for Stable Diffusion 1: a linear layer, a convolution of one pixel, a
  /// convolution of three, each of its own rank and alpha.
  io::NamedTensors kohya() const {
    return {{kSquashed + "proj_in.alpha", at::full({}, 1.0)},
            {kSquashed + "proj_in.lora_down.weight", seeded_randn({2, 6, 1, 1}, 1).to(at::kHalf)},
            {kSquashed + "proj_in.lora_up.weight", seeded_randn({5, 2, 1, 1}, 2).to(at::kHalf)},
            {kSquashed + "transformer_blocks_0_attn1_to_q.alpha", at::full({}, 49.0)},
            {kSquashed + "transformer_blocks_0_attn1_to_q.lora_down.weight",
             seeded_randn({3, 6}, 3).to(at::kHalf)},
            {kSquashed + "transformer_blocks_0_attn1_to_q.lora_up.weight",
             seeded_randn({5, 3}, 4).to(at::kHalf)},
            {"lora_unet_down_blocks_0_resnets_0_conv1.alpha", at::full({}, 4.0)},
            {"lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight",
             seeded_randn({4, 6, 3, 3}, 5).to(at::kHalf)},
            {"lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight",
             seeded_randn({5, 4, 1, 1}, 6).to(at::kHalf)}};
  }

  dd::test::TemporaryFolder folder_;
};

TEST_F(LoraContentTest, ThereAndBackChangesNothing) {
  io::write_safetensors(path("kohya.safetensors"), kohya(), {{"ss_note", "kept"}});
  const LoraContent first = read_lora_content(path("kohya.safetensors"));
  ASSERT_EQ(first.entries.size(), 3U);
  write_lora_content(path("diffusers.safetensors"), first, LoraFormat::kDiffusers);
  const LoraContent second = read_lora_content(path("diffusers.safetensors"));
  write_lora_content(path("back.safetensors"), second, LoraFormat::kKohya);
  const io::SafetensorsFile back(path("back.safetensors"));
  EXPECT_EQ(back.entries().size(), 9U);
  for (const auto& [name, value] : kohya()) {
    ASSERT_TRUE(back.contains(name)) << name;
    EXPECT_EQ(back.tensor(name).scalar_type(), value.scalar_type()) << name;
    EXPECT_TRUE(back.tensor(name).equal(value)) << name;
  }
  EXPECT_EQ(back.metadata().at("ss_note"), "kept");
  EXPECT_EQ(back.metadata().at("ss_network_dim"), "2") << "the most common, or the first";
}

TEST_F(LoraContentTest, DiffusersGetsAPatternForEachLayerThatDiffers) {
  io::write_safetensors(path("kohya.safetensors"), kohya());
  write_lora_content(path("out.safetensors"), read_lora_content(path("kohya.safetensors")),
                     LoraFormat::kDiffusers, at::kFloat);
  const io::SafetensorsFile file(path("out.safetensors"));
  const std::string query = kBlock + "transformer_blocks.0.attn1.to_q";
  EXPECT_EQ(file.tensor("unet." + query + ".lora_A.weight").dim(), 2);
  EXPECT_EQ(file.tensor("unet." + kBlock + "proj_in.lora_A.weight").dim(), 4);
  EXPECT_EQ(file.tensor("unet." + kBlock + "proj_in.lora_A.weight").scalar_type(), at::kFloat);
  const Json settings = Json::parse(file.metadata().at("lora_adapter_metadata"));
  EXPECT_EQ(settings.at("unet.r"), 2);
  EXPECT_EQ(settings.at("unet.rank_pattern").at(query), 3);
  EXPECT_EQ(settings.at("unet.alpha_pattern").at(query), 49);
  EXPECT_EQ(settings.at("unet.target_modules").size(), 3U);
}

TEST_F(LoraContentTest, PeftsFolderTellsItsAlphaBesideTheFile) {
  const std::string stem = "base_model.model." + kBlock + "transformer_blocks.0.attn1.to_q.";
  io::write_safetensors(path("adapter_model.safetensors"),
                        {{stem + "lora_A.weight", seeded_randn({4, 6}, 1)},
                         {stem + "lora_B.weight", seeded_randn({5, 4}, 2)}});
  EXPECT_EQ(read_lora_content(path("adapter_model.safetensors")).entries[0].alpha, 4);
  write_json(path("adapter_config.json"), {{"r", 4}, {"lora_alpha", 8}, {"use_rslora", true}});
  const LoraContent content = read_lora_content(path("adapter_model.safetensors"));
  EXPECT_EQ(content.entries[0].alpha, 16)
      << "alpha · sqrt(rank), so that alpha / rank is the scale";
  EXPECT_EQ(content.entries[0].name.part, "unet");
}

TEST_F(LoraContentTest, CountsEveryProblemAndGoesOn) {
  io::NamedTensors tensors = kohya();
  tensors.emplace_back("lora_unet_x.lora_mid.weight", seeded_randn({2, 2}, 1));
  tensors.emplace_back(kSquashed + "proj_out.alpha", at::full({}, 1.0));
  tensors[2].second = seeded_randn({5, 3, 1, 1}, 2);
  io::write_safetensors(path("bad.safetensors"), tensors);
  const LoraContent content = scan_lora(path("bad.safetensors"));
  EXPECT_EQ(content.entries.size(), 2U);
  ASSERT_EQ(content.problems.size(), 3U);
  EXPECT_NE(content.problems[0].find("lora_mid"), std::string::npos);
  try {
    read_lora_content(path("bad.safetensors"));
    FAIL() << "a damaged LoRA was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("and 2 more problems"), std::string::npos);
  }
}

TEST_F(LoraContentTest, AConvolutionIsAdaptedByAPairWithItsKernel) {
  nn::RandomSource source(1);
  nn::ParameterTable table;
  const nn::Scope root(source, table);
  const nn::Conv2d convolution(root["down_blocks"][0]["resnets"][0]["conv1"],
                               {.in = 6, .out = 5, .kernel = 3, .padding = 1});
  const nn::Conv2d point(root["down_blocks"][0]["attentions"][0]["proj_in"],
                         {.in = 6, .out = 5, .kernel = 1});
  io::NamedTensors tensors = kohya();
  tensors.erase(tensors.begin() + 3, tensors.begin() + 6);
  io::write_safetensors(path("kohya.safetensors"), tensors);
  const ModelPart part{"unet", &table};
  const LoraFile lora = read_lora(path("kohya.safetensors"), std::span(&part, 1));
  const at::Tensor x = seeded_randn({1, 6, 4, 4}, 9);
  const at::Tensor before = convolution(x);
  const at::Tensor point_before = point(x);
  const ScaledLora use{&lora.weights};
  const MergedLora merged(std::span(&part, 1), std::span(&use, 1));
  // What the two convolutions of the pair, one after the other, add: alpha 4 of rank 4, 1 of 2.
  const auto half = [&](std::size_t i) { return tensors[i].second.to(at::kFloat); };
  const at::Tensor change = at::conv2d(at::conv2d(x, half(4), {}, 1, 1), half(5));
  EXPECT_TRUE(convolution(x).allclose(before + change, 1e-4, 1e-4));
  const at::Tensor point_change = at::conv2d(at::conv2d(x, half(1)), half(2)) * 0.5;
  EXPECT_TRUE(point(x).allclose(point_before + point_change, 1e-4, 1e-4));
}

}  // namespace
}  // namespace dd::lora
