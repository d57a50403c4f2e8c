// SPDX-License-Identifier: Apache-2.0
#include "dd/models/ldm_config.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/models/families.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kHeadWidth = 64;  // of both text towers, and of the U-Net of SD 2
constexpr std::int64_t kHeadsOfFirst = 8;
constexpr std::int64_t kOpenClipLayers = 24;
// Blocks and layers are counted until one is missing; a name list without end must not keep us.
constexpr std::int64_t kMostBlocks = 100;

/// Shapes under one prefix of the file.
class Shapes {
 public:
  Shapes(const io::Checkpoint& checkpoint, std::string prefix)
      : checkpoint_(checkpoint), prefix_(std::move(prefix)) {}

  bool has(const std::string& name) const { return checkpoint_.contains(prefix_ + name); }
  /// Extent `axis` of a tensor.
  std::int64_t extent(const std::string& name, std::size_t axis) const {
    if (!has(name)) {
      fail_input(cat("no tensor ", prefix_, name, " in ", checkpoint_.label(),
                     "; is it a whole Stable Diffusion checkpoint?"));
    }
    const std::vector<std::int64_t>& shape = checkpoint_.info(prefix_ + name).shape;
    if (axis >= shape.size()) {
      fail_input(cat("the tensor ", prefix_, name, " in ", checkpoint_.label(), " has ",
                     shape.size(), " dimensions; is it a Stable Diffusion checkpoint?"));
    }
    return shape[axis];
  }
  std::size_t dimensions(const std::string& name) const {
    return has(name) ? checkpoint_.info(prefix_ + name).shape.size() : 0;
  }
  /// How many of before0after, before1after, … there are.
  std::int64_t count(const std::string& before, const std::string& after) const {
    std::int64_t n = 0;
    while (n < kMostBlocks && has(cat(before, n, after))) ++n;
    return n;
  }

 private:
  const io::Checkpoint& checkpoint_;
  std::string prefix_;
};

std::vector<std::int64_t> heads_of(const std::vector<std::int64_t>& widths, bool second) {
  std::vector<std::int64_t> heads;
  for (const std::int64_t width : widths)
    heads.push_back(second ? std::max<std::int64_t>(1, width / kHeadWidth) : kHeadsOfFirst);
  return heads;
}

UNetConfig unet_of(const Shapes& shapes, bool second) {
  UNetConfig config;
  config.in_channels = shapes.extent("input_blocks.0.0.weight", 1);
  config.out_channels = shapes.extent("out.2.weight", 0);
  config.widths.clear();
  config.attention.clear();
  config.linear_projection = second;
  config.upcast_attention = second;
  std::int64_t in_level = 0;
  for (std::int64_t block = 1; block < kMostBlocks; ++block) {
    const std::string name = cat("input_blocks.", block);
    if (shapes.has(name + ".0.op.weight")) {
      in_level = 0;
      continue;
    }
    if (!shapes.has(name + ".0.in_layers.2.weight")) break;
    if (in_level++ == 0) {
      config.widths.push_back(shapes.extent(name + ".0.in_layers.2.weight", 0));
      const bool attends = shapes.has(name + ".1.proj_in.weight");
      config.attention.push_back(attends);
      if (attends) {
        const std::string blocks = name + ".1.transformer_blocks.";
        config.transformer_layers = shapes.count(blocks, ".attn2.to_k.weight");
        config.context_width = shapes.extent(blocks + "0.attn2.to_k.weight", 1);
        config.linear_projection = shapes.dimensions(name + ".1.proj_in.weight") == 2;
      }
    }
    config.layers_per_block = in_level;
  }
  if (config.widths.empty()) shapes.extent("input_blocks.1.0.in_layers.2.weight", 0);  // fails
  config.heads = heads_of(config.widths, second);
  return config;
}

VaeConfig vae_of(const Shapes& shapes) {
  VaeConfig config;
  config.image_channels = shapes.extent("encoder.conv_in.weight", 1);
  config.latent_channels = shapes.extent("post_quant_conv.weight", 0);
  config.layers_per_block = shapes.count("encoder.down.0.block.", ".conv1.weight");
  config.widths.clear();
  for (std::int64_t i = 0; i < shapes.count("encoder.down.", ".block.0.conv1.weight"); ++i)
    config.widths.push_back(shapes.extent(cat("encoder.down.", i, ".block.0.conv1.weight"), 0));
  if (config.widths.empty()) shapes.extent("encoder.down.0.block.0.conv1.weight", 0);  // fails
  return config;
}

ClipTextConfig text_of(const Shapes& shapes, const LdmParts& parts) {
  ClipTextConfig config;
  const std::string words =
      parts.openclip ? "token_embedding.weight" : "embeddings.token_embedding.weight";
  const std::string positions =
      parts.openclip ? "positional_embedding" : "embeddings.position_embedding.weight";
  const std::string layers = parts.openclip ? "transformer.resblocks." : "encoder.layers.";
  const std::string widening = parts.openclip ? ".mlp.c_fc.weight" : ".mlp.fc1.weight";
  config.vocab_size = shapes.extent(words, 0);
  config.end_token = config.vocab_size - 1;
  config.positions = shapes.extent(positions, 0);
  config.encoder.width = shapes.extent(words, 1);
  config.encoder.mlp_width = shapes.extent(cat(layers, 0, widening), 0);
  config.encoder.layers = shapes.count(layers, widening);
  if (parts.openclip && config.encoder.layers == kOpenClipLayers) --config.encoder.layers;
  config.encoder.heads = std::max<std::int64_t>(1, config.encoder.width / kHeadWidth);
  config.encoder.activation = parts.openclip ? nn::Activation::kGelu : nn::Activation::kQuickGelu;
  return config;
}

/// The configuration in the folder, or else the one derived from the file, through the same checks.
template <class Config, class Derive>
Config read_or(const fs::path& file, const std::string& label, const Derive& derive) {
  if (path_exists(file)) return Config::from_json(read_json(file), file.string());
  return Config::from_json(derive().to_json(), cat("the shapes of ", label));
}

}  // namespace

bool looks_like_ldm(const io::Checkpoint& checkpoint) {
  return checkpoint.contains(std::string(kLdmUNet) + "input_blocks.0.0.weight");
}

LdmParts ldm_parts(const io::Checkpoint& checkpoint, const fs::path& folder) {
  const std::string& label = checkpoint.label();
  refuse_other_file(checkpoint);
  if (!looks_like_ldm(checkpoint)) {
    fail_input(cat(label, " is no Stable Diffusion checkpoint: it has no ", kLdmUNet,
                   "input_blocks.0.0.weight; name a diffusers folder or a single-file checkpoint "
                   "of Stable Diffusion 1 or 2"));
  }
  LdmParts parts;
  parts.openclip = checkpoint.contains(cat(kLdmOpenClip, "token_embedding.weight"));
  parts.bare_text = checkpoint.contains(cat(kLdmText, "embeddings.token_embedding.weight"));
  const std::string text =
      parts.openclip ? kLdmOpenClip : cat(kLdmText, parts.bare_text ? "" : "text_model.");
  parts.unet = read_or<UNetConfig>(folder / "unet/config.json", label, [&] {
    return unet_of({checkpoint, kLdmUNet}, parts.openclip);
  });
  parts.vae = read_or<VaeConfig>(folder / "vae/config.json", label, [&] {
    return vae_of({checkpoint, kLdmVae});
  });
  parts.text = read_or<ClipTextConfig>(folder / "text_encoder/config.json", label, [&] {
    return text_of({checkpoint, text}, parts);
  });
  return parts;
}

}  // namespace dd::models
