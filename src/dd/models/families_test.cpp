// SPDX-License-Identifier: Apache-2.0
#include "dd/models/families.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/io/safetensors.h"
#include "support/hostile_bytes.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

using test::input_error;

void expect_parts(const std::string& error, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(error.find(part), std::string::npos) << error;
}

TEST(Families, AUNetThatTakesMoreThanLatentsIsRefusedByItsChannels) {
  for (const auto& [channels, family] : {std::pair(9, "an inpainting model"),
                                         {5, "a depth-guided model"},
                                         {7, "an upscaler"},
                                         {8, "edits pictures"},
                                         {6, "does not turn text alone"}}) {
    const Json config{{"in_channels", channels}, {"out_channels", 4}};
    expect_parts(input_error([&] { refuse_other_unet(config, "unet/config.json"); }),
                 {"unet/config.json: \"in_channels\" is ", family, "Stable Diffusion 1 and 2"});
  }
  EXPECT_NO_THROW(refuse_other_unet({{"in_channels", 4}}, ""));
  EXPECT_NO_THROW(refuse_other_unet({{"in_channels", 8}, {"out_channels", 8}}, ""));
}

TEST(Families, AUNetIsRefusedByItsKeys) {
  const auto refusal = [](const char* key, const Json& value) {
    return input_error([&] { refuse_other_unet({{key, value}}, "config.json"); });
  };
  expect_parts(refusal("addition_embed_type", "text_time"),
               {"config.json: \"addition_embed_type\" is \"text_time\"", "XL", "take one of"});
  expect_parts(refusal("time_cond_proj_dim", 256), {"time_cond_proj_dim", "distilled"});
  expect_parts(refusal("class_embed_type", "projection"), {"class_embed_type", "unCLIP"});
  expect_parts(refusal("encoder_hid_dim", 1280), {"encoder_hid_dim"});
  for (const Json& unset : {Json(nullptr), Json(false)})
    EXPECT_EQ(refusal("class_embed_type", unset), "no error");
}

TEST(Families, AFolderIsRefusedByItsPipeline) {
  const test::TemporaryFolder folder;
  const auto refusal = [&](const std::string& pipeline) {
    write_json(folder.path() / "model_index.json", {{"_class_name", pipeline}});
    return input_error([&] { refuse_other_folder(folder.path()); });
  };
  expect_parts(refusal("StableDiffusionXLPipeline"),
               {"model_index.json: \"_class_name\" is", "this is Stable Diffusion XL"});
  expect_parts(refusal("StableDiffusionXLImg2ImgPipeline"), {"Stable Diffusion XL"});
  expect_parts(refusal("StableDiffusion3Pipeline"), {"Stable Diffusion 3"});
  expect_parts(refusal("FluxPipeline"), {"Flux"});
  for (const char* ours : {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", ""})
    EXPECT_EQ(refusal(ours), "no error");
  write_file_atomically(folder.path() / "model_index.json", "{]");
  expect_parts(input_error([&] { refuse_other_folder(folder.path()); }), {"model_index.json"});
}

TEST(Families, AFileIsRefusedByItsTensors) {
  const test::TemporaryFolder folder;
  const std::string unet = "model.diffusion_model.";
  const auto refusal = [&](const std::string& extra, std::int64_t channels) {
    io::NamedTensors tensors{{unet + "input_blocks.0.0.weight", at::zeros({8, channels, 3, 3})},
                             {unet + "out.2.weight", at::zeros({4, 8, 3, 3})}};
    if (!extra.empty()) tensors.emplace_back(extra, at::zeros({1}));
    const std::filesystem::path file = folder.path() / "model.safetensors";
    io::write_safetensors(file, tensors);
    return input_error([&] { refuse_other_file(io::Checkpoint::open_file(file)); });
  };
  EXPECT_EQ(refusal("", 4), "no error");
  expect_parts(refusal("", 9), {"model.safetensors", "input_blocks.0.0.weight takes 9 channels",
                                "an inpainting model", "take one of those"});
  expect_parts(refusal("", 5), {"takes 5 channels", "depth"});
  expect_parts(refusal("conditioner.embedders.1.model.logit_scale", 4),
               {"conditioner.embedders.1.model.logit_scale: this is Stable Diffusion XL;"});
  expect_parts(refusal("conditioner.embedders.0.model.logit_scale", 4), {"the refiner of"});
  expect_parts(refusal(unet + "label_emb.0.0.weight", 4), {"label_emb", "unCLIP"});
  expect_parts(refusal(unet + "joint_blocks.0.x", 4), {"Stable Diffusion 3"});
}

TEST(Families, OtherClipsAreRefusedByTheirTensors) {
  const test::TemporaryFolder folder;
  const auto refusal = [&](const std::string& name) {
    const std::filesystem::path file = folder.path() / "clip.safetensors";
    io::write_safetensors(file, {{name, at::zeros({1})}});
    return input_error([&] { refuse_other_clip(io::Checkpoint::open_file(file)); });
  };
  expect_parts(refusal("visual.layer1.0.conv1.weight"), {"clip.safetensors", "a ResNet", "take"});
  expect_parts(refusal("module.visual.trunk.norm.bias"), {"timm"});
  expect_parts(refusal("text.transformer.embeddings.word_embeddings.weight"), {"text tower"});
  EXPECT_EQ(refusal("visual.conv1.weight"), "no error");
}

}  // namespace
}  // namespace dd::models
