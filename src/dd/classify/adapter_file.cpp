// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/adapter_file.h"

#include <set>
#include <string_view>

#include "dd/core/json.h"
#include "dd/io/safetensors.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kDown = ".lora_A.weight";
constexpr std::string_view kUp = ".lora_B.weight";

std::string last_part(const std::string& layer) {
  return layer.substr(layer.rfind('.') + 1);
}

Json peft_config(const lora::LoraWeights& weights, const lora::LoraOptions& options) {
  std::set<std::string> targets;
  for (const lora::LoraPair& pair : weights.pairs) targets.insert(last_part(pair.layer));
  return {{"peft_type", "LORA"},
          {"task_type", nullptr},
          {"base_model_name_or_path", nullptr},
          {"inference_mode", true},
          {"r", options.rank},
          {"lora_alpha", options.alpha},
          {"lora_dropout", options.dropout},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"init_lora_weights", "gaussian"},
          {"modules_to_save", nullptr},
          {"target_modules", targets}};
}

/// The layer that a tensor belongs to; empty where the name is of another kind.
std::string layer_of(const std::string& name, std::string_view ending) {
  if (!name.starts_with(kPrefix) || !name.ends_with(ending)) return "";
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - ending.size());
}

}  // namespace

void write_adapter(const fs::path& folder, const lora::LoraWeights& weights,
                   const lora::LoraOptions& options) {
  io::NamedTensors tensors;
  for (const lora::LoraPair& pair : weights.pairs) {
    const std::string name = cat(kPrefix, pair.layer);
    tensors.emplace_back(cat(name, kDown), pair.down.detach().contiguous());
    tensors.emplace_back(cat(name, kUp), pair.up.detach().contiguous());
  }
  io::write_safetensors(folder / kAdapterFile, tensors, {{"format", "pt"}});
  write_json(folder / kAdapterConfig, peft_config(weights, options));
}

lora::LoraWeights read_adapter(const fs::path& folder) {
  const std::string where = (folder / kAdapterFile).string();
  const std::string config_where = (folder / kAdapterConfig).string();
  const Json config = read_json(folder / kAdapterConfig);
  const auto rank = json_required<std::int64_t>(config, "r", config_where);
  const auto alpha = json_required<double>(config, "lora_alpha", config_where);
  const io::SafetensorsFile file(folder / kAdapterFile);
  lora::LoraWeights weights;
  std::set<std::string> ups;
  for (const io::TensorEntry& entry : file.entries()) {
    const std::string layer = layer_of(entry.name, kDown);
    if (layer.empty()) {
      if (layer_of(entry.name, kUp).empty()) {
        fail_input(cat(where, ": tensor ", entry.name, " is no part of a LoRA; train again"));
      }
      ups.insert(entry.name);
      continue;
    }
    const std::string up = cat(kPrefix, layer, kUp);
    if (!file.contains(up)) {
      fail_input(
          cat(where, ": tensor ", entry.name, " lacks its other half ", up, "; train again"));
    }
    lora::LoraPair pair{layer, file.tensor(entry.name).to(at::kFloat),
                        file.tensor(up).to(at::kFloat), alpha / static_cast<double>(rank)};
    if (pair.down.dim() != 2 || pair.up.dim() != 2 || pair.down.size(0) != rank ||
        pair.up.size(1) != rank) {
      fail_input(cat(where, ": the tensors of ", layer, " are not of rank ", rank, ", as ",
                     config_where, " says; train again"));
    }
    weights.pairs.push_back(std::move(pair));
  }
  if (ups.size() != weights.pairs.size() || weights.pairs.empty()) {
    fail_input(cat(where, " holds ", weights.pairs.size(), " lora_A and ", ups.size(),
                   " lora_B tensors; train again"));
  }
  std::ranges::sort(weights.pairs, {}, &lora::LoraPair::layer);
  return weights;
}

}  // namespace dd::classify
