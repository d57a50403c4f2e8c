// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_metadata.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "dd/core/files.h"
#include "dd/core/json_text.h"

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

/// A name that transformers 4 and 5 both end their name of the layer with.
std::string lasting_name(const LayerName& name) {
  constexpr std::string_view kDropped = "text_model.";
  return name.layer.starts_with(kDropped) ? name.layer.substr(kDropped.size()) : name.layer;
}

/// Whole numbers without a decimal point, as Python writes them.
Json number(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

/// Rank and alpha that most layers of a part have, and the layers that differ.
struct PartSummary {
  std::int64_t rank = 0;
  double alpha = 0;
  std::map<std::string, std::int64_t> rank_pattern;
  std::map<std::string, double> alpha_pattern;
  std::set<std::string> layers;  ///< each by name: kinds of layers would mean all of a kind
};

template <class T>
T most_common(const std::map<T, int>& counts) {
  T best{};
  int most = 0;
  for (const auto& [value, count] : counts) {
    if (count > most) {
      best = value;
      most = count;
    }
  }
  return best;
}

std::map<std::string, PartSummary> summarise(const LoraContent& content) {
  std::map<std::string, std::pair<std::map<std::int64_t, int>, std::map<double, int>>> counts;
  for (const LoraEntry& entry : content.entries) {
    ++counts[entry.name.part].first[entry.rank()];
    ++counts[entry.name.part].second[entry.alpha];
  }
  std::map<std::string, PartSummary> parts;
  for (const LoraEntry& entry : content.entries) {
    const auto& [ranks, alphas] = counts.at(entry.name.part);
    PartSummary& part = parts[entry.name.part];
    part.rank = most_common(ranks);
    part.alpha = most_common(alphas);
    const std::string layer = lasting_name(entry.name);
    if (entry.rank() != part.rank) part.rank_pattern[layer] = entry.rank();
    if (entry.alpha != part.alpha) part.alpha_pattern[layer] = entry.alpha;
    part.layers.insert(layer);
  }
  return parts;
}

Json patterns_json(const std::map<std::string, double>& patterns) {
  Json json = Json::object();
  for (const auto& [layer, value] : patterns) json[layer] = number(value);
  return json;
}

/// peft's settings of one part, by name. Every release of peft refuses fields it does not know, so
/// only those stand here that all releases since 0.9 have, with their defaults.
std::map<std::string, Json> peft_settings(const PartSummary& part) {
  std::map<std::string, Json> settings{{"auto_mapping", nullptr},
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
                                       {"revision", nullptr},
                                       {"task_type", nullptr},
                                       {"use_dora", false},
                                       {"use_rslora", false}};
  settings["alpha_pattern"] = patterns_json(part.alpha_pattern);
  settings["lora_alpha"] = number(part.alpha);
  settings["r"] = part.rank;
  settings["rank_pattern"] = Json(part.rank_pattern);
  settings["target_modules"] = part.layers;
  return settings;
}

void state_for_diffusers(const std::map<std::string, PartSummary>& parts, io::Metadata& metadata) {
  std::map<std::string, Json> sorted;
  for (const auto& [prefix, part] : parts) {
    for (auto& [key, value] : peft_settings(part)) {
      sorted[prefix.empty() ? key : prefix + "." + key] = value;
    }
  }
  metadata[kAdapterKey] = Json(sorted).dump(2);
}

/// What kohya's own programs show of a file; they compute with the tensors alone.
void state_for_kohya(const std::map<std::string, PartSummary>& parts, io::Metadata& metadata) {
  const bool one_rank = std::ranges::all_of(
      parts, [&](const auto& part) { return part.second.rank == parts.begin()->second.rank; });
  metadata["ss_network_module"] = "networks.lora";
  metadata["ss_network_dim"] =
      one_rank && !parts.empty() ? std::to_string(parts.begin()->second.rank) : "Dynamic";
  metadata["ss_network_alpha"] =
      one_rank && !parts.empty() ? number(parts.begin()->second.alpha).dump() : "Dynamic";
}

Json read_peft_config(const std::filesystem::path& file) {
  const std::filesystem::path config = file.parent_path() / "adapter_config.json";
  const bool belongs =
      file.filename() == "adapter_model.safetensors" || file.filename() == "adapter_model.bin";
  return belongs && path_exists(config) ? read_json(config) : Json();
}

}  // namespace

io::Metadata make_metadata(const LoraContent& content, LoraFormat format) {
  io::Metadata metadata = content.metadata;
  for (const char* key : {kAdapterKey, "ss_network_module", "ss_network_dim", "ss_network_alpha"}) {
    metadata.erase(key);
  }
  metadata["format"] = "pt";
  const std::map<std::string, PartSummary> parts = summarise(content);
  for (const auto& [prefix, part] : parts) {
    metadata["datadream.rank"] = std::to_string(part.rank);
    metadata["datadream.alpha"] = number(part.alpha).dump();
  }
  if (format == LoraFormat::kDiffusers) state_for_diffusers(parts, metadata);
  if (format == LoraFormat::kKohya) state_for_kohya(parts, metadata);
  for (const auto& [key, field] : record_fields()) {
    if (!(content.record.*field).empty()) metadata[key] = content.record.*field;
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

AdapterSettings::Part AdapterSettings::read_part(const Json& json, const std::string& prefix,
                                                 const std::string& where) {
  if (json_value(json, prefix + "use_dora", false, where)) {
    fail_input(cat(where, ": DoRA is not supported"));
  }
  Part part;
  part.has_alpha = json.contains(prefix + "lora_alpha") && !json[prefix + "lora_alpha"].is_null();
  part.alpha = json_value(json, prefix + "lora_alpha", 0.0, where);
  part.root_of_rank = json_value(json, prefix + "use_rslora", false, where);
  part.alpha_pattern = json_value(json, prefix + "alpha_pattern", part.alpha_pattern, where);
  return part;
}

AdapterSettings::AdapterSettings(const io::Metadata& metadata, const std::filesystem::path& file) {
  const auto found = metadata.find(kAdapterKey);
  if (found == metadata.end()) {
    const Json config = read_peft_config(file);
    if (config.is_object()) {
      parts_.emplace("", read_part(config, "", "adapter_config.json"));
    }
    return;
  }
  const Json json = parse_json(found->second);
  const std::string where = cat("metadata ", kAdapterKey);
  if (!json.is_object()) fail_input(cat(where, " is damaged JSON"));
  for (const std::string prefix : {"", "unet", "text_encoder"}) {
    parts_.emplace(prefix, read_part(json, prefix.empty() ? "" : prefix + ".", where));
  }
}

bool AdapterSettings::folds_alpha() const {
  return std::ranges::any_of(parts_, [](const auto& part) { return part.second.root_of_rank; });
}

double AdapterSettings::alpha(const std::string& layer, std::int64_t rank) const {
  const auto size = static_cast<double>(rank);
  const auto own = parts_.find(part_of(layer));
  const auto found = own != parts_.end() ? own : parts_.find("");
  if (found == parts_.end()) return size;
  const Part& part = found->second;
  double alpha = part.alpha;
  bool has_alpha = part.has_alpha;
  for (const auto& [end, value] : part.alpha_pattern) {
    if (layer == end || layer.ends_with("." + end)) {
      alpha = value;
      has_alpha = true;
    }
  }
  if (!has_alpha) return size;
  return part.root_of_rank ? alpha * std::sqrt(size) : alpha;
}

}  // namespace dd::lora
