// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "dd/lora/layers.h"

namespace dd::lora {
namespace {

struct Ending {
  std::string_view text;
  LoraRole role;
};

constexpr std::array kEndings = {
    // peft, and diffusers since it builds on peft
    Ending{".lora_A.weight", LoraRole::kDown}, Ending{".lora_B.weight", LoraRole::kUp},
    Ending{".lora_A.default.weight", LoraRole::kDown},
    Ending{".lora_B.default.weight", LoraRole::kUp},
    // diffusers before that: on layers, and on attention processors
    Ending{".lora_linear_layer.down.weight", LoraRole::kDown},
    Ending{".lora_linear_layer.up.weight", LoraRole::kUp},
    Ending{".lora.down.weight", LoraRole::kDown}, Ending{".lora.up.weight", LoraRole::kUp},
    Ending{"_lora.down.weight", LoraRole::kDown}, Ending{"_lora.up.weight", LoraRole::kUp},
    // kohya's trainer
    Ending{".lora_down.weight", LoraRole::kDown}, Ending{".lora_up.weight", LoraRole::kUp},
    Ending{".alpha", LoraRole::kAlpha}};

/// What programs write before a layer's name, by the part that the layer belongs to.
struct PartNames {
  std::string_view part;
  std::vector<std::string_view> dotted;    ///< before the name as it is
  std::vector<std::string_view> squashed;  ///< before the name with _ for each dot
};

const std::vector<PartNames>& part_names() {
  static const std::vector<PartNames> names{
      {"", {"", "base_model.model."}, {}},
      {"unet", {"unet.", "unet.base_model.model.", "base_model.model.", ""}, {"lora_unet_"}},
      {"text_encoder",
       {"text_encoder.", "text_encoder.base_model.model."},
       {"lora_te_", "lora_te1_"}}};
  return names;
}

/// A layer's own spellings inside its part: as it is, by its attention processor, and without the
/// level that transformers 5 dropped.
std::vector<std::string> spellings(const std::string& layer) {
  std::vector<std::string> result{layer};
  const std::size_t projection = layer.rfind(".to_");
  if (projection != std::string::npos) {
    std::string by_processor = layer;
    by_processor.insert(projection, ".processor");
    if (by_processor.ends_with(".0")) by_processor.resize(by_processor.size() - 2);
    result.push_back(std::move(by_processor));
  }
  constexpr std::string_view kDropped = "text_model.";
  if (layer.starts_with(kDropped)) result.push_back(layer.substr(kDropped.size()));
  return result;
}

std::string squashed(std::string text) {
  std::ranges::replace(text, '.', '_');
  return text;
}

}  // namespace

std::optional<LoraKey> split_key(std::string_view name) {
  for (const Ending& ending : kEndings) {
    if (name.size() > ending.text.size() && name.ends_with(ending.text)) {
      return LoraKey{std::string(name.substr(0, name.size() - ending.text.size())), ending.role};
    }
  }
  return std::nullopt;
}

std::map<std::string, std::string> known_stems(std::span<const ModelPart> parts) {
  std::map<std::string, std::string> stems;
  for (const ModelPart& part : parts) {
    const auto names = std::ranges::find(part_names(), part.prefix, &PartNames::part);
    const PartNames other{part.prefix, {}, {}};
    const PartNames& known = names == part_names().end() ? other : *names;
    for (const auto& [layer, site] : part.table->linears()) {
      const std::string ours = part.prefix.empty() ? layer : part.prefix + "." + layer;
      stems.emplace(ours, ours);
      for (const std::string& spelling : spellings(layer)) {
        for (const std::string_view prefix : known.dotted) {
          stems.emplace(std::string(prefix) + spelling, ours);
        }
        for (const std::string_view prefix : known.squashed) {
          stems.emplace(std::string(prefix) + squashed(spelling), ours);
        }
      }
    }
  }
  return stems;
}

std::string part_of(std::string_view layer) {
  for (const PartNames& names : part_names()) {
    if (!names.part.empty() && layer.starts_with(std::string(names.part) + ".")) {
      return std::string(names.part);
    }
  }
  return "";
}

}  // namespace dd::lora
