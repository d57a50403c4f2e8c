// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_file.h"

#include <array>

#include "dd/core/error.h"
#include "dd/core/names_text.h"
#include "dd/lora/layers.h"

namespace dd::lora {
namespace {

/// The layer that an entry belongs to; files that do not name the part leave several to try.
LayersByName::const_iterator find_layer(const LayersByName& layers, const LayerName& name) {
  if (!name.part.empty()) return layers.find(name.full());
  for (const char* prefix : {"", "unet.", "text_encoder."}) {
    const auto found = layers.find(prefix + name.layer);
    if (found != layers.end()) return found;
  }
  return layers.end();
}

/// Some programs treat linear layers as convolutions of one pixel, and the other way round.
LoraPair fitted(const LoraEntry& entry, const std::string& layer, const nn::LinearSite& site) {
  const auto matrix = [](const at::Tensor& value) {
    const bool is_point = value.dim() == 4 && value.size(2) == 1 && value.size(3) == 1;
    return is_point ? value.reshape({value.size(0), value.size(1)}) : value;
  };
  LoraPair pair{.layer = layer, .down = entry.down, .up = matrix(entry.up)};
  if (site.weight.dim() == 2) pair.down = matrix(pair.down);
  if (site.weight.dim() == 4 && pair.down.dim() == 2) {
    pair.down = pair.down.reshape({pair.down.size(0), pair.down.size(1), 1, 1});
  }
  pair.scale = entry.alpha / static_cast<double>(entry.rank());
  return pair;
}

}  // namespace

void write_lora(const std::filesystem::path& path, const LoraWeights& weights,
                const LoraRecord& record, at::ScalarType dtype) {
  LoraContent content{.label = path.string(),
                      .entries = {},
                      .metadata = {},
                      .record = record,
                      .families = {},
                      .notes = {},
                      .problems = {}};
  for (const LoraPair& pair : weights.pairs) {
    const std::string part = part_of(pair.layer);
    content.entries.push_back(
        {.name = {part, part.empty() ? pair.layer : pair.layer.substr(part.size() + 1)},
         .down = pair.down,
         .up = pair.up,
         .alpha = pair.scale * static_cast<double>(pair.rank()),
         .key = pair.layer});
  }
  write_lora_content(path, content, LoraFormat::kDiffusers, dtype);
}

LoraFile read_lora(const std::filesystem::path& path, std::span<const ModelPart> parts) {
  const LoraContent content = read_lora_content(path);
  const LayersByName layers = layers_by_name(parts);
  LoraFile result{.weights = {}, .record = content.record};
  std::vector<std::string> strangers;
  for (const LoraEntry& entry : content.entries) {
    const auto layer = find_layer(layers, entry.name);
    if (layer == layers.end()) {
      strangers.push_back(entry.key);
      continue;
    }
    const nn::LinearSite& site = *layer->second;
    LoraPair pair = fitted(entry, layer->first, site);
    const std::string problem = misfit(pair, site);
    if (!problem.empty()) {
      fail_input(cat(content.label, ": \"", entry.key, "\": ", problem,
                     "; use a LoRA of this kind of model"));
    }
    // A copy: the file may be replaced while the LoRA is in use.
    pair.down = pair.down.to(site.weight.device(), at::kFloat, false, true).contiguous();
    pair.up = pair.up.to(site.weight.device(), at::kFloat, false, true).contiguous();
    result.weights.pairs.push_back(std::move(pair));
  }
  if (!strangers.empty()) {
    fail_input(cat(content.label, ": the model has no place for ", names_text(strangers),
                   "; use a LoRA of this kind of model"));
  }
  return result;
}

}  // namespace dd::lora
