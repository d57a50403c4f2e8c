// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_metadata.h"

#include <cmath>
#include <set>
#include <vector>

#include "dd/core/json.h"
#include "dd/lora/lora_names.h"

namespace dd::lora {
namespace {

constexpr const char* kAdapterKey = "lora_adapter_metadata";

/// Texts of the record by their metadata keys.
std::vector<std::pair<std::string, std::string LoraRecord::*>> record_fields() {
  return {{"datadream.base_model", &LoraRecord::base_model},
          {"datadream.prompt_template", &LoraRecord::prompt_template},
          {"datadream.class", &LoraRecord::class_name},
          {"datadream.data", &LoraRecord::data},
          {"datadream.settings", &LoraRecord::settings}};
}

/// What peft calls the kind of layer: "to_q", "to_out.0", "q_proj".
std::string module_name(const std::string& layer) {
  const std::size_t last = layer.rfind('.');
  if (last == std::string::npos) return layer;
  const bool is_index = layer.find_first_not_of("0123456789", last + 1) == std::string::npos;
  const std::size_t start = is_index && last > 0 ? layer.rfind('.', last - 1) : last;
  return start == std::string::npos ? layer : layer.substr(start + 1);
}

/// Whole numbers without a decimal point, as Python writes them.
Json number(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

struct PartSummary {
  std::int64_t rank = 0;
  double alpha = 0;
  std::set<std::string> modules;
};

std::map<std::string, PartSummary> summarise(const LoraWeights& weights) {
  std::map<std::string, PartSummary> parts;
  for (const LoraPair& pair : weights.pairs) {
    PartSummary& part = parts[part_of(pair.layer)];
    const double alpha = pair.scale * static_cast<double>(pair.rank());
    if (part.modules.empty()) {
      part.rank = pair.rank();
      part.alpha = alpha;
    } else if (part.rank != pair.rank() || part.alpha != alpha) {
      fail_usage(cat("the LoRA has rank ", part.rank, " and alpha ", part.alpha,
                     " on some layers, ", pair.rank(), " and ", alpha, " on ", pair.layer,
                     "; only one of each can be written for a part of the model"));
    }
    part.modules.insert(module_name(pair.layer));
  }
  return parts;
}

/// peft's settings of one part, by name. Every release of peft refuses fields it does not know, so
/// only those stand here that all releases since 0.9 have, with their defaults.
std::map<std::string, Json> peft_settings(const PartSummary& part) {
  std::map<std::string, Json> settings{{"alpha_pattern", Json::object()},
                                       {"auto_mapping", nullptr},
                                       {"base_model_name_or_path", nullptr},
                                       {"bias", "none"},
                                       {"fan_in_fan_out", false},
                                       {"inference_mode", false},
                                       {"init_lora_weights", true},
                                       {"layers_pattern", nullptr},
                                       {"layers_to_transform", nullptr},
                                       {"lora_dropout", 0.0},
                                       {"modules_to_save", nullptr},
                                       {"peft_type", "LORA"},
                                       {"rank_pattern", Json::object()},
                                       {"revision", nullptr},
                                       {"task_type", nullptr},
                                       {"use_dora", false},
                                       {"use_rslora", false}};
  settings["lora_alpha"] = number(part.alpha);
  settings["r"] = part.rank;
  settings["target_modules"] = part.modules;
  return settings;
}

}  // namespace

io::Metadata make_metadata(const LoraWeights& weights, const LoraRecord& record) {
  std::map<std::string, Json> sorted;
  io::Metadata metadata{{"format", "pt"}};
  for (const auto& [prefix, part] : summarise(weights)) {
    for (auto& [key, value] : peft_settings(part)) {
      sorted[prefix.empty() ? key : prefix + "." + key] = value;
    }
    metadata["datadream.rank"] = std::to_string(part.rank);
    metadata["datadream.alpha"] = number(part.alpha).dump();
  }
  metadata[kAdapterKey] = Json(sorted).dump(2);
  for (const auto& [key, field] : record_fields()) {
    if (!(record.*field).empty()) metadata[key] = record.*field;
  }
  return metadata;
}

LoraRecord read_record(const io::Metadata& metadata) {
  LoraRecord record;
  for (const auto& [key, field] : record_fields()) {
    const auto found = metadata.find(key);
    if (found != metadata.end()) record.*field = found->second;
  }
  return record;
}

AdapterSettings::AdapterSettings(const io::Metadata& metadata, const std::string& file) {
  const auto found = metadata.find(kAdapterKey);
  if (found == metadata.end()) return;
  const Json json = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  const std::string where = cat(file, ", metadata ", kAdapterKey);
  if (!json.is_object()) fail_input(cat(where, " is damaged; write or download the file again"));
  for (const std::string prefix : {"", "unet", "text_encoder"}) {
    const std::string dotted = prefix.empty() ? "" : prefix + ".";
    if (json_value(json, dotted + "use_dora", false, where)) {
      fail_input(cat(where, ": DoRA is not supported; use a plain LoRA"));
    }
    Part part;
    part.has_alpha = json.contains(dotted + "lora_alpha");
    part.alpha = json_value(json, dotted + "lora_alpha", 0.0, where);
    part.root_of_rank = json_value(json, dotted + "use_rslora", false, where);
    part.alpha_pattern = json_value(json, dotted + "alpha_pattern", part.alpha_pattern, where);
    parts_.emplace(prefix, std::move(part));
  }
}

double AdapterSettings::scale(const std::string& layer, std::int64_t rank) const {
  const auto found = parts_.find(part_of(layer));
  if (found == parts_.end()) return 1;
  const Part& part = found->second;
  double alpha = part.alpha;
  bool has_alpha = part.has_alpha;
  for (const auto& [end, value] : part.alpha_pattern) {
    if (layer == end || layer.ends_with("." + end)) {
      alpha = value;
      has_alpha = true;
    }
  }
  if (!has_alpha) return 1;
  const auto size = static_cast<double>(rank);
  return alpha / (part.root_of_rank ? std::sqrt(size) : size);
}

}  // namespace dd::lora
