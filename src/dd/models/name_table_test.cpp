// SPDX-License-Identifier: Apache-2.0
#include "dd/models/name_table.h"

#include <gtest/gtest.h>

#include "dd/models/ldm_names.h"
#include "dd/models/openclip_names.h"

namespace {

using dd::models::NameTable;

std::string name_in(const NameTable& table, const std::string& ours) {
  const auto place = table.find(ours);
  return place ? place->name : "none";
}

TEST(NameTable, TheLongestModuleCounts) {
  NameTable table;
  table.add("a", {"x"});
  table.add("a.b", {"y.z"});
  table.add("a.b.weight", {"w", 1, 3});
  EXPECT_EQ(name_in(table, "a.c.bias"), "x.c.bias");
  EXPECT_EQ(name_in(table, "a.b.bias"), "y.z.bias");
  EXPECT_EQ(name_in(table, "a"), "x");
  EXPECT_EQ(name_in(table, "ab.bias"), "none");
  EXPECT_EQ(table.find("a.b.weight")->part, 1);
  EXPECT_EQ(table.find("a.b.weight")->parts, 3);
  EXPECT_EQ(name_in(table, ""), "none");
}

TEST(OpenClipNames, QueryKeyAndValueAreThirds) {
  const NameTable table = dd::models::openclip_text_names(2, "text_model.", "t.");
  EXPECT_EQ(name_in(table, "text_model.embeddings.token_embedding.weight"),
            "t.token_embedding.weight");
  EXPECT_EQ(name_in(table, "text_model.embeddings.position_embedding.weight"),
            "t.positional_embedding");
  EXPECT_EQ(name_in(table, "text_model.final_layer_norm.bias"), "t.ln_final.bias");
  const std::string layer = "text_model.encoder.layers.1.";
  EXPECT_EQ(name_in(table, layer + "mlp.fc2.bias"), "t.transformer.resblocks.1.mlp.c_proj.bias");
  EXPECT_EQ(name_in(table, layer + "self_attn.out_proj.weight"),
            "t.transformer.resblocks.1.attn.out_proj.weight");
  const auto value = table.find(layer + "self_attn.v_proj.bias");
  EXPECT_EQ(value->name, "t.transformer.resblocks.1.attn.in_proj_bias");
  EXPECT_EQ(value->part, 2);
  EXPECT_EQ(value->parts, 3);
  EXPECT_EQ(name_in(table, "text_model.encoder.layers.2.mlp.fc2.bias"), "none");
}

TEST(LdmNames, BlocksAreCountedAsInPublishedFiles) {
  // Names of Stable Diffusion 1.5's v1-5-pruned.ckpt.
  const NameTable table = dd::models::ldm_names({});
  const std::string unet = "model.diffusion_model.";
  EXPECT_EQ(name_in(table, "down_blocks.1.resnets.0.conv_shortcut.weight"),
            unet + "input_blocks.4.0.skip_connection.weight");
  EXPECT_EQ(name_in(table, "down_blocks.0.downsamplers.0.conv.bias"),
            unet + "input_blocks.3.0.op.bias");
  EXPECT_EQ(name_in(table, "down_blocks.2.attentions.1.proj_in.weight"),
            unet + "input_blocks.8.1.proj_in.weight");
  EXPECT_EQ(name_in(table, "mid_block.resnets.1.time_emb_proj.weight"),
            unet + "middle_block.2.emb_layers.1.weight");
  EXPECT_EQ(name_in(table, "up_blocks.0.upsamplers.0.conv.weight"),
            unet + "output_blocks.2.1.conv.weight");
  EXPECT_EQ(name_in(table, "up_blocks.1.upsamplers.0.conv.weight"),
            unet + "output_blocks.5.2.conv.weight");
  EXPECT_EQ(name_in(table, "up_blocks.3.resnets.2.conv1.weight"),
            unet + "output_blocks.11.0.in_layers.2.weight");
  EXPECT_EQ(name_in(table, "encoder.down_blocks.2.resnets.0.conv_shortcut.weight"),
            "first_stage_model.encoder.down.2.block.0.nin_shortcut.weight");
  EXPECT_EQ(name_in(table, "decoder.up_blocks.0.upsamplers.0.conv.weight"),
            "first_stage_model.decoder.up.3.upsample.conv.weight");
  EXPECT_EQ(name_in(table, "decoder.mid_block.attentions.0.to_out.0.weight"),
            "first_stage_model.decoder.mid.attn_1.proj_out.weight");
  EXPECT_EQ(name_in(table, "text_model.final_layer_norm.weight"),
            "cond_stage_model.transformer.text_model.final_layer_norm.weight");
}

}  // namespace
