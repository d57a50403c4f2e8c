// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/lora_facts.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "dd/classify/adapter_file.h"
#include "dd/classify/classifier_file.h"
#include "dd/core/files.h"
#include "dd/inspect/weight_facts.h"
#include "dd/io/fingerprint.h"
#include "dd/lora/lora_file.h"

namespace dd::inspect {
namespace fs = std::filesystem;
namespace {

/// "attn1.to_q" of "….transformer_blocks.0.attn1.to_q": the name without the place.
std::string projection_of(const std::string& layer) {
  std::size_t begin = 0;
  for (const char* list : {"attentions.", "transformer_blocks.", "layers.", "resnets.",
                           "downsamplers.", "upsamplers."}) {
    const std::size_t at = layer.rfind(list);
    if (at == std::string::npos || at < begin) continue;
    const std::size_t dot = layer.find('.', at + std::string_view(list).size());
    if (dot != std::string::npos) begin = dot + 1;
  }
  return layer.substr(begin);
}

template <class T>
Json counts_json(const std::map<T, int>& counts) {
  Json json = Json::array();
  for (const auto& [value, count] : counts) json.push_back(value);
  return json;
}

/// By how wide the text is that its cross attention reads.
std::string family_of(const lora::LoraContent& content) {
  for (const lora::LoraEntry& entry : content.entries) {
    if (entry.name.part != "unet" || !entry.name.layer.ends_with("attn2.to_k")) continue;
    const std::int64_t width = entry.down.size(1);
    if (width == 768) return "1.x";
    if (width == 1024) return "2.x";
    return cat("other, cross attention ", width);
  }
  return "unknown, no layer reads the text";
}

/// Ranks, alphas and layers of each part.
Json parts_json(const lora::LoraContent& content) {
  struct Part {
    int layers = 0;
    std::map<std::int64_t, int> ranks;
    std::map<double, int> alphas, scales;
    std::set<std::string> projections;
  };
  std::map<std::string, Part> parts;
  for (const lora::LoraEntry& entry : content.entries) {
    Part& part = parts[entry.name.part.empty() ? "model" : entry.name.part];
    ++part.layers;
    ++part.ranks[entry.rank()];
    ++part.alphas[entry.alpha];
    ++part.scales[entry.alpha / static_cast<double>(entry.rank())];
    part.projections.insert(projection_of(entry.name.layer));
  }
  Json json = Json::object();
  for (const auto& [name, part] : parts) {
    json[name] = {{"layers", part.layers},
                  {"rank", counts_json(part.ranks)},
                  {"alpha", counts_json(part.alphas)},
                  {"scale", counts_json(part.scales)},
                  {"projections", part.projections}};
  }
  return json;
}

void add_record(const lora::LoraRecord& record, Report& report) {
  const std::pair<const char*, const std::string*> fields[] = {
      {"base_model", &record.base_model},
      {"prompt_template", &record.prompt_template},
      {"class", &record.class_name},
      {"data_hash", &record.data},
      {"settings", &record.settings}};
  for (const auto& [key, text] : fields) {
    if (!text->empty()) report.facts[key] = *text;
  }
}

Json other_metadata(const io::Metadata& metadata) {
  Json json = Json::object();
  for (const auto& [key, value] : metadata) {
    if (!key.starts_with("datadream.") && key != "lora_adapter_metadata" && key != "format") {
      json[key] = value;
    }
  }
  return json;
}

void add_lora(const fs::path& file, bool deep, Report& report) {
  const lora::LoraContent content = lora::scan_lora(file);
  Json& facts = report.facts;
  facts["naming"] = Json(content.families);
  facts["family"] = family_of(content);
  WeightFacts weights;
  for (const lora::LoraEntry& entry : content.entries) {
    weights.add(entry.down);
    weights.add(entry.up);
    if (entry.name.part.empty()) {
      report.warnings.push_back(
          cat("\"", entry.key, "\" is of no U-Net and no text encoder of Stable Diffusion 1 or 2"));
    }
  }
  facts["parts"] = parts_json(content);
  facts["fingerprint"] = io::fingerprint(std::span(&file, 1));
  add_record(content.record, report);
  facts["weights"] = weights.to_json();
  if (Json metadata = other_metadata(content.metadata); !metadata.empty()) {
    facts["metadata"] = std::move(metadata);
  }
  report.problems.insert(report.problems.end(), content.problems.begin(), content.problems.end());
  if (content.entries.empty()) report.problems.emplace_back("there is no complete pair of tensors");
  if (deep) examine_content(io::Checkpoint::open_file(file), report);
}

}  // namespace

void examine_lora(const fs::path& path, bool deep, Report& report) {
  const bool is_folder = path_is_folder(path);
  report.facts["format"] = is_folder ? "peft folder" : "file";
  report.attempt([&] { add_lora(is_folder ? path / classify::kAdapterFile : path, deep, report); });
}

void examine_adapters(const fs::path& folder, bool deep, Report& report) {
  const bool for_all = path_exists(folder / lora::kLoraFileName);
  report.facts["mode"] = for_all ? "dataset" : "class";
  if (path_exists(folder / "adapt.json")) {
    report.attempt([&] {
      const Json record = read_json(folder / "adapt.json");
      for (const char* key : {"model", "model_hash", "data_hash", "settings"}) {
        if (record.contains(key)) report.facts[key] = record[key];
      }
    });
  }
  if (for_all) {
    report.attempt([&] { add_lora(folder / lora::kLoraFileName, deep, report); });
    return;
  }
  Json classes = Json::object();
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  for (const fs::path& own : folders) {
    Report one;
    if (path_exists(own / lora::kLoraFileName)) {
      one.attempt([&] { add_lora(own / lora::kLoraFileName, deep, one); });
    } else {
      one.problems.emplace_back("no adapter yet; run adapt again");
    }
    const std::string name = own.filename().string();
    classes[name] = one.facts.value("class", name);
    if (report.facts.find("parts") == report.facts.end() && one.facts.contains("parts")) {
      report.facts["parts"] = one.facts["parts"];
    }
    for (const std::string& problem : one.problems) {
      report.problems.push_back(cat(name, ": ", problem));
    }
  }
  report.facts["classes"] = std::move(classes);
  if (folders.empty()) report.problems.emplace_back("there is no adapter yet; run adapt again");
}

void examine_classifier(const fs::path& folder, bool deep, Report& report) {
  report.attempt([&] {
    const classify::SavedClassifier saved = classify::SavedClassifier::load(folder);
    report.facts["classes"] = saved.class_names;
    report.facts["template"] = saved.prompt_template;
    report.facts["clip_fingerprint"] = saved.clip_fingerprint;
    report.facts["hash"] = saved.hash;
  });
  report.attempt([&] { add_lora(folder / classify::kAdapterFile, deep, report); });
  // The layers are CLIP's, which a LoRA of Stable Diffusion would not have.
  report.warnings.clear();
  report.facts.erase("family");
}

}  // namespace dd::inspect
