// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_names.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace dd::lora {
namespace {

const std::string kAttention = "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_out.0";
const std::string kText = "text_model.encoder.layers.11.self_attn.out_proj";

TEST(LoraNames, EverySpellingMeansOneLayer) {
  const std::string bare = "down_blocks.0.attentions.1.transformer_blocks.0.attn1.";
  for (const std::string& stem :
       {"unet." + kAttention, "unet.base_model.model." + kAttention, kAttention,
        "base_model.model." + kAttention, "unet." + bare + "processor.to_out",
        bare + "processor.to_out",
        std::string("lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0")}) {
    EXPECT_EQ(layer_of_stem(stem).full(), "unet." + kAttention) << stem;
  }
  for (const std::string& stem :
       {"text_encoder." + kText, std::string("text_encoder.encoder.layers.11.self_attn.out_proj"),
        std::string("lora_te_text_model_encoder_layers_11_self_attn_out_proj"),
        std::string("lora_te1_text_model_encoder_layers_11_self_attn_out_proj")}) {
    EXPECT_EQ(layer_of_stem(stem).full(), "text_encoder." + kText) << stem;
  }
}

TEST(LoraNames, KohyasNameIsUndone) {
  for (const std::string& layer :
       {kAttention, std::string("mid_block.resnets.1.time_emb_proj"), std::string("conv_in"),
        std::string("up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj"),
        std::string("down_blocks.1.attentions.0.proj_in"), std::string("time_embedding.linear_1"),
        std::string("up_blocks.1.upsamplers.0.conv"),
        std::string("down_blocks.2.resnets.0.conv_shortcut")}) {
    const std::string stem = kohya_stem({"unet", layer});
    EXPECT_EQ(stem.find('.'), std::string::npos) << stem;
    EXPECT_EQ(layer_of_stem(stem).full(), "unet." + layer);
  }
  EXPECT_EQ(layer_of_stem(kohya_stem({"text_encoder", kText})).layer, kText);
  EXPECT_EQ(layer_of_stem("lora_te_text_model_encoder_layers_3_mlp_fc1").layer,
            "text_model.encoder.layers.3.mlp.fc1");
}

TEST(LoraNames, OtherModelsPartsKeepTheirNames) {
  EXPECT_EQ(layer_of_stem("text_encoder_2.text_model.x").part, "");
  EXPECT_EQ(layer_of_stem("lora_te2_text_model_x").full(), "lora_te2_text_model_x");
  EXPECT_THROW(kohya_stem({"", "vision_model.encoder.layers.0.self_attn.q_proj"}), Error);
}

TEST(LoraNames, EndingsTellRoles) {
  EXPECT_EQ(split_key("a.b.lora_A.weight")->stem, "a.b");
  EXPECT_EQ(split_key("a.processor.to_q_lora.up.weight")->stem, "a.processor.to_q");
  EXPECT_EQ(split_key("lora_unet_x.alpha")->role, LoraRole::kAlpha);
  EXPECT_FALSE(split_key("lora_unet_x.dora_scale"));
  EXPECT_FALSE(split_key("lora_unet_x.lora_mid.weight"));
  EXPECT_FALSE(split_key(".alpha"));
}

}  // namespace
}  // namespace dd::lora
