// SPDX-License-Identifier: Apache-2.0
#include "dd/models/ldm_names.h"

#include <array>

#include "dd/core/error.h"
#include "dd/models/openclip_names.h"

namespace dd::models {
namespace {

struct Pair {
  const char* ours;
  const char* theirs;
};

// Inside a residual block of the U-Net.
constexpr std::array<Pair, 6> kUNetResnet{{{"norm1", "in_layers.0"},
                                           {"conv1", "in_layers.2"},
                                           {"time_emb_proj", "emb_layers.1"},
                                           {"norm2", "out_layers.0"},
                                           {"conv2", "out_layers.3"},
                                           {"conv_shortcut", "skip_connection"}}};
constexpr std::array<Pair, 6> kUNetEnds{{{"conv_in", "input_blocks.0.0"},
                                         {"time_embedding.linear_1", "time_embed.0"},
                                         {"time_embedding.linear_2", "time_embed.2"},
                                         {"mid_block.attentions.0", "middle_block.1"},
                                         {"conv_norm_out", "out.0"},
                                         {"conv_out", "out.2"}}};
// Inside the encoder and the decoder of the VAE.
constexpr std::array<Pair, 10> kVaeEnds{{{"conv_in", "conv_in"},
                                         {"mid_block.resnets.0", "mid.block_1"},
                                         {"mid_block.resnets.1", "mid.block_2"},
                                         {"mid_block.attentions.0.group_norm", "mid.attn_1.norm"},
                                         {"mid_block.attentions.0.to_q", "mid.attn_1.q"},
                                         {"mid_block.attentions.0.to_k", "mid.attn_1.k"},
                                         {"mid_block.attentions.0.to_v", "mid.attn_1.v"},
                                         {"mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"},
                                         {"conv_norm_out", "norm_out"},
                                         {"conv_out", "conv_out"}}};

void add_unet_resnet(NameTable& table, const std::string& ours, const std::string& theirs) {
  for (const Pair& pair : kUNetResnet)
    table.add(cat(ours, '.', pair.ours), cat(kLdmUNet, theirs, '.', pair.theirs));
}

// Their blocks are counted through all levels: a residual block with its transformer is one, on the
// way down a downsampling is one too, on the way up an upsampling is the last part of a block.
void add_unet(NameTable& table, const UNetConfig& config) {
  for (const Pair& pair : kUNetEnds) table.add(pair.ours, cat(kLdmUNet, pair.theirs));
  add_unet_resnet(table, "mid_block.resnets.0", "middle_block.0");
  add_unet_resnet(table, "mid_block.resnets.1", "middle_block.2");
  const std::size_t levels = config.widths.size();
  std::int64_t block = 1;
  for (std::size_t level = 0; level < levels; ++level) {
    const std::string ours = cat("down_blocks.", level);
    for (std::int64_t j = 0; j < config.layers_per_block; ++j, ++block) {
      add_unet_resnet(table, cat(ours, ".resnets.", j), cat("input_blocks.", block, ".0"));
      table.add(cat(ours, ".attentions.", j), cat(kLdmUNet, "input_blocks.", block, ".1"));
    }
    table.add(cat(ours, ".downsamplers.0.conv"), cat(kLdmUNet, "input_blocks.", block++, ".0.op"));
  }
  block = 0;
  for (std::size_t step = 0; step < levels; ++step) {
    const std::string ours = cat("up_blocks.", step);
    for (std::int64_t j = 0; j <= config.layers_per_block; ++j, ++block) {
      add_unet_resnet(table, cat(ours, ".resnets.", j), cat("output_blocks.", block, ".0"));
      table.add(cat(ours, ".attentions.", j), cat(kLdmUNet, "output_blocks.", block, ".1"));
    }
    table.add(cat(ours, ".upsamplers.0.conv"),
              cat(kLdmUNet, "output_blocks.", block - 1,
                  config.attention[levels - 1 - step] ? ".2.conv" : ".1.conv"));
  }
}

void add_vae_resnet(NameTable& table, const std::string& ours, const std::string& theirs) {
  table.add(ours, cat(kLdmVae, theirs));
  table.add(cat(ours, ".conv_shortcut"), cat(kLdmVae, theirs, ".nin_shortcut"));
}

void add_vae(NameTable& table, const VaeConfig& config) {
  for (const char* whole : {"quant_conv", "post_quant_conv"}) table.add(whole, cat(kLdmVae, whole));
  for (const char* side : {"encoder.", "decoder."}) {
    for (const Pair& pair : kVaeEnds)
      table.add(cat(side, pair.ours), cat(kLdmVae, side, pair.theirs));
  }
  const std::size_t levels = config.widths.size();
  for (std::size_t level = 0; level < levels; ++level) {
    const std::string down = cat("encoder.down_blocks.", level);
    for (std::int64_t j = 0; j < config.layers_per_block; ++j)
      add_vae_resnet(table, cat(down, ".resnets.", j), cat("encoder.down.", level, ".block.", j));
    table.add(cat(down, ".downsamplers.0"), cat(kLdmVae, "encoder.down.", level, ".downsample"));
    // They count the decoder's levels by width, we in the order of use.
    const std::string up = cat("decoder.up_blocks.", levels - 1 - level);
    for (std::int64_t j = 0; j <= config.layers_per_block; ++j)
      add_vae_resnet(table, cat(up, ".resnets.", j), cat("decoder.up.", level, ".block.", j));
    table.add(cat(up, ".upsamplers.0"), cat(kLdmVae, "decoder.up.", level, ".upsample"));
  }
}

}  // namespace

NameTable ldm_names(const LdmParts& parts) {
  NameTable table;
  if (parts.openclip) {
    table = openclip_text_names(parts.text.encoder.layers, "text_model.", kLdmOpenClip);
  } else {
    for (const char* part : {"embeddings", "encoder", "final_layer_norm"})
      table.add(cat("text_model.", part),
                cat(kLdmText, parts.bare_text ? "" : "text_model.", part));
  }
  add_unet(table, parts.unet);
  add_vae(table, parts.vae);
  return table;
}

const std::vector<std::string>& ldm_extras() {
  static const std::vector<std::string> kExtras{
      "model_ema.",
      "alphas_cumprod",
      "betas",
      "sqrt_",
      "log_one_minus_alphas_cumprod",
      "posterior_",
      "logvar",
      "lvlb_weights",
      "scale_factor",
      "first_stage_model.loss.",
      "cond_stage_model.logit_scale",
      "cond_stage_model.text_projection",
      "cond_stage_model.transformer.text_projection",
      "cond_stage_model.transformer.text_model.embeddings.position_ids",
      "cond_stage_model.transformer.embeddings.position_ids",
      "cond_stage_model.model.text_projection",
      "cond_stage_model.model.logit_scale",
      "cond_stage_model.model.attn_mask",
  };
  return kExtras;
}

}  // namespace dd::models
