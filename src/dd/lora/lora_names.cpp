// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_names.h"

#include <algorithm>
#include <array>

#include "dd/core/error.h"

namespace dd::lora {
namespace {

constexpr std::string_view kPeft = "diffusers/PEFT (lora_A, lora_B)";
constexpr std::string_view kOldDiffusers = "older diffusers (lora.down, lora.up)";
constexpr std::string_view kProcessors = "older diffusers (attention processors)";
constexpr std::string_view kKohya = "kohya (lora_down, lora_up, alpha)";

struct Ending {
  std::string_view text;
  LoraRole role;
  std::string_view family;
};

constexpr std::array kEndings{
    Ending{".lora_A.weight", LoraRole::kDown, kPeft},
    Ending{".lora_B.weight", LoraRole::kUp, kPeft},
    Ending{".lora_A.default.weight", LoraRole::kDown, kPeft},
    Ending{".lora_B.default.weight", LoraRole::kUp, kPeft},
    Ending{".lora_linear_layer.down.weight", LoraRole::kDown, kOldDiffusers},
    Ending{".lora_linear_layer.up.weight", LoraRole::kUp, kOldDiffusers},
    Ending{".lora.down.weight", LoraRole::kDown, kOldDiffusers},
    Ending{".lora.up.weight", LoraRole::kUp, kOldDiffusers},
    Ending{"_lora.down.weight", LoraRole::kDown, kProcessors},
    Ending{"_lora.up.weight", LoraRole::kUp, kProcessors},
    Ending{".lora_down.weight", LoraRole::kDown, kKohya},
    Ending{".lora_up.weight", LoraRole::kUp, kKohya},
    Ending{".alpha", LoraRole::kAlpha, kKohya}};

/// What programs write before a layer's name; the first that fits counts.
struct Prefix {
  std::string_view text;
  std::string_view part;
  bool squashed = false;  ///< the layer's name has _ for each dot
};
constexpr std::array kPrefixes{Prefix{"unet.base_model.model.", "unet"},
                               Prefix{"unet.", "unet"},
                               Prefix{"text_encoder.base_model.model.", "text_encoder"},
                               Prefix{"text_encoder.", "text_encoder"},
                               Prefix{"lora_unet_", "unet", true},
                               Prefix{"lora_te_", "text_encoder", true},
                               Prefix{"lora_te1_", "text_encoder", true},
                               Prefix{"base_model.model.", ""},
                               Prefix{"", ""}};

/// Steps of a U-Net's or CLIP's names that have a _ of their own. None begins with another one that
/// ends at a _, so the order does not matter.
constexpr std::array<std::string_view, 25> kSteps{
    "down_blocks",    "up_blocks",  "mid_block",     "transformer_blocks",
    "to_q",           "to_k",       "to_v",          "to_out",
    "proj_in",        "proj_out",   "time_emb_proj", "time_embedding",
    "linear_1",       "linear_2",   "conv_in",       "conv_out",
    "conv_shortcut",  "text_model", "self_attn",     "q_proj",
    "k_proj",         "v_proj",     "out_proj",      "vision_model",
    "patch_embedding"};

/// "mid_block_attentions_0" → "mid_block.attentions.0"
std::string unsquashed(std::string_view text) {
  std::string layer;
  while (!text.empty()) {
    const auto fits = [&](std::string_view step) {
      return text.starts_with(step) && (text.size() == step.size() || text[step.size()] == '_');
    };
    const auto step = std::ranges::find_if(kSteps, fits);
    const std::size_t length =
        step != kSteps.end() ? step->size() : std::min(text.find('_'), text.size());
    layer += cat(layer.empty() ? "" : ".", text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return layer;
}

/// "attn1.processor.to_out" → "attn1.to_out.0"
void leave_processor(std::string& layer) {
  constexpr std::string_view kStep = ".processor.to_";
  const std::size_t at = layer.rfind(kStep);
  if (at == std::string::npos) return;
  layer.erase(at, std::string_view(".processor").size());
  if (layer.ends_with(".to_out")) layer += ".0";
}

/// Where the file does not say the part, the beginnings of a U-Net's names do.
bool begins_as_unet(std::string_view layer) {
  constexpr std::array<std::string_view, 6> kFirst{"down_blocks.",    "mid_block.", "up_blocks.",
                                                   "time_embedding.", "conv_in",    "conv_out"};
  return std::ranges::any_of(kFirst,
                             [&](std::string_view first) { return layer.starts_with(first); });
}

}  // namespace

std::optional<LoraKey> split_key(std::string_view name) {
  for (const Ending& ending : kEndings) {
    if (name.size() > ending.text.size() && name.ends_with(ending.text)) {
      return LoraKey{std::string(name.substr(0, name.size() - ending.text.size())), ending.role,
                     ending.family};
    }
  }
  return std::nullopt;
}

LayerName layer_of_stem(std::string_view stem) {
  const auto* prefix = std::ranges::find_if(
      kPrefixes, [&](const Prefix& known) { return stem.starts_with(known.text); });
  stem.remove_prefix(prefix->text.size());
  LayerName name{std::string(prefix->part),
                 prefix->squashed ? unsquashed(stem) : std::string(stem)};
  leave_processor(name.layer);
  if (name.part.empty() && begins_as_unet(name.layer)) name.part = "unet";
  if (name.part == "text_encoder" && name.layer.starts_with("encoder.layers.")) {
    name.layer.insert(0, "text_model.");
  }
  return name;
}

std::string kohya_stem(const LayerName& name) {
  const bool is_text = name.part == "text_encoder";
  if (!is_text && name.part != "unet") {
    fail_usage(cat("kohya's format has no name for the layer ", name.full(),
                   ", which is of no U-Net and no text encoder; choose --to diffusers"));
  }
  std::string squashed = name.layer;
  std::ranges::replace(squashed, '.', '_');
  return (is_text ? "lora_te_" : "lora_unet_") + squashed;
}

std::string part_of(std::string_view layer) {
  for (const std::string_view part : {"unet", "text_encoder"}) {
    if (layer.starts_with(part) && layer.substr(part.size()).starts_with(".")) {
      return std::string(part);
    }
  }
  return "";
}

}  // namespace dd::lora
