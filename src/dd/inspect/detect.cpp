// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/detect.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

#include "dd/classify/adapter_file.h"
#include "dd/classify/classifier_file.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/data/dataset.h"
#include "dd/io/checkpoint.h"
#include "dd/lora/lora_file.h"
#include "dd/lora/lora_names.h"

namespace dd::inspect {
namespace fs = std::filesystem;
namespace {

using Names = std::vector<std::string>;

bool any_begins(const Names& names, std::string_view beginning) {
  return std::ranges::any_of(names,
                             [&](const std::string& name) { return name.starts_with(beginning); });
}

/// A LoRA when most of its tensors have a LoRA's names: a base model may hold a stray one.
bool is_lora(const Names& names) {
  const auto matching = std::ranges::count_if(
      names, [](const std::string& name) { return lora::split_key(name).has_value(); });
  return matching > 0 && 2 * matching >= std::ssize(names);
}

Kind kind_of_tensors(const Names& names) {
  if (is_lora(names)) return Kind::kLora;
  if (any_begins(names, "model.diffusion_model.")) return Kind::kStableDiffusion;
  if (any_begins(names, "visual.") || any_begins(names, "vision_model.")) return Kind::kClip;
  if (any_begins(names, "down_blocks.") && any_begins(names, "time_embedding.")) return Kind::kUNet;
  if (any_begins(names, "decoder.") && any_begins(names, "encoder.conv_in.")) return Kind::kVae;
  if (any_begins(names, "text_model.") || any_begins(names, "embeddings.token_embedding.")) {
    return Kind::kTextEncoder;
  }
  return Kind::kTensors;
}

bool is_image(const fs::path& path) {
  using namespace std::string_view_literals;
  if (!path_is_file(path)) return false;
  std::array<char, 12> front{};
  std::ifstream(path, std::ios::binary).read(front.data(), front.size());
  const std::string_view bytes(front.data(), front.size());
  return bytes.starts_with("\x89PNG\r\n\x1a\n"sv) || bytes.starts_with("\xff\xd8\xff"sv) ||
         (bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv);
}

/// By what config.json says; of a folder that has one.
std::optional<Kind> kind_of_config(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  const Json config = read_json(file);
  if (!config.is_object()) return std::nullopt;
  const auto class_name = json_value<std::string>(config, "_class_name", "", file.string());
  const auto model_type = json_value<std::string>(config, "model_type", "", file.string());
  if (class_name == "UNet2DConditionModel") return Kind::kUNet;
  if (class_name == "AutoencoderKL") return Kind::kVae;
  if (model_type == "clip_text_model") return Kind::kTextEncoder;
  if (model_type == "clip") return Kind::kClip;
  return std::nullopt;
}

bool has_adapters_of_classes(const fs::path& folder) {
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return entry.is_directory() && path_exists(entry.path() / lora::kLoraFileName);
  });
}

/// Nothing when the folder is at most a data set.
std::optional<Kind> kind_of_folder(const fs::path& folder) {
  const auto has = [&](const char* name) { return path_exists(folder / name); };
  if (has("model_index.json") || (has("unet") && has("vae"))) return Kind::kStableDiffusion;
  if (has(classify::kClassifierFile)) return Kind::kClassifier;
  if (has("adapt.json") || has(lora::kLoraFileName) || has_adapters_of_classes(folder)) {
    return Kind::kAdapters;
  }
  if (has(classify::kAdapterConfig)) return Kind::kLora;
  if (has("config.json")) return kind_of_config(folder);
  return std::nullopt;
}

}  // namespace

Kind detect(const std::string& path) {
  const DataSpec spec = parse_data_spec(path);
  // Opened by the caller, who then says what is wrong with it; a pattern is no path.
  if (spec.kind == "shards" || spec.kind == "list") return Kind::kDataset;
  if (!path_exists(spec.root)) {
    fail_input(cat("there is nothing at ", spec.root.string(), "; check the path"));
  }
  if (spec.text() != spec.root.string()) return Kind::kDataset;
  if (!path_is_folder(spec.root)) {
    if (is_image(spec.root)) return Kind::kImage;
    return kind_of_tensors(io::Checkpoint::open_file(spec.root).names());
  }
  if (const std::optional<Kind> kind = kind_of_folder(spec.root)) return *kind;
  try {
    open_dataset(spec, "all");
  } catch (const Error& error) {
    fail_input(cat("nothing that is known is in ", path,
                   ": no model, LoRA, classifier or data set (", error.what(), ")"));
  }
  return Kind::kDataset;
}

std::string kind_name(Kind kind) {
  switch (kind) {
    case Kind::kStableDiffusion:
      return "Stable Diffusion";
    case Kind::kUNet:
      return "U-Net";
    case Kind::kVae:
      return "VAE";
    case Kind::kTextEncoder:
      return "text encoder";
    case Kind::kClip:
      return "CLIP";
    case Kind::kLora:
      return "LoRA";
    case Kind::kAdapters:
      return "adapters";
    case Kind::kClassifier:
      return "classifier";
    case Kind::kDataset:
      return "data set";
    case Kind::kImage:
      return "image";
    case Kind::kTensors:
      return "tensors";
  }
  fail_internal("unknown kind of content");
}

}  // namespace dd::inspect
