// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dd::lora {

/// What a tensor of a LoRA file is to its layer.
enum class LoraRole { kDown, kUp, kAlpha };

/// A tensor's name taken apart: the layer as that file calls it, the role, and whose habit it is.
struct LoraKey {
  std::string stem;
  LoraRole role;
  std::string_view family;  ///< for people: "diffusers/PEFT", "kohya", …
};

/// Nothing for names that no known program gives to LoRA tensors.
std::optional<LoraKey> split_key(std::string_view name);

/// A layer by its name in the model, whatever the file calls it.
struct LayerName {
  std::string part;   ///< "unet" or "text_encoder"; empty where the file does not say
  std::string layer;  ///< "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"

  std::string full() const { return part.empty() ? layer : part + "." + layer; }
};

/// Undoes what programs do to the names of layers: prefixes, attention processors, the level that
/// transformers 5 dropped, and kohya's _ for each dot. It knows no model: the layer may not exist.
LayerName layer_of_stem(std::string_view stem);

/// kohya's name of a layer: "lora_unet_mid_block_attentions_0_…". Error(kUsage) for a part that
/// kohya's format cannot name.
std::string kohya_stem(const LayerName& name);

/// "unet" or "text_encoder" where a layer begins with one of them, else empty.
std::string part_of(std::string_view layer);

}  // namespace dd::lora
