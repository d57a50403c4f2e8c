// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dd/lora/lora_set.h"

namespace dd::lora {

/// What a tensor of a LoRA file is to its layer.
enum class LoraRole { kDown, kUp, kAlpha };

/// A tensor's name taken apart: the layer as that file calls it, and the role.
struct LoraKey {
  std::string stem;
  LoraRole role;
};

/// Nothing for names that no known program gives to LoRA tensors.
std::optional<LoraKey> split_key(std::string_view name);

/// Every stem that a known program gives to a layer of the parts → our name of the layer.
std::map<std::string, std::string> known_stems(std::span<const ModelPart> parts);

/// "unet" or "text_encoder" where a layer begins with one of them, else empty.
std::string part_of(std::string_view layer);

}  // namespace dd::lora
