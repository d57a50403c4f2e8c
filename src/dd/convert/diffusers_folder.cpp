// SPDX-License-Identifier: Apache-2.0
#include "dd/convert/diffusers_folder.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "dd/convert/whole_folder.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/models/pipeline_index.h"

namespace dd::convert {
namespace fs = std::filesystem;
namespace {

/// The index without the parts that are not written; diffusers would look for them.
Json index_of(const fs::path& source, const models::StableDiffusion& model,
              std::vector<std::string>& left_out) {
  constexpr std::array<std::string_view, 5> kWritten{"unet", "vae", "text_encoder", "tokenizer",
                                                     "scheduler"};
  const fs::path file = source / "model_index.json";
  if (!path_exists(file)) return models::pipeline_index(model.schedule.class_name);
  Json index = read_json(file);
  for (auto& [key, value] : index.items()) {
    const bool is_part = value.is_array() && value.size() == 2 && value[0].is_string();
    if (!is_part || std::ranges::find(kWritten, key) != kWritten.end()) continue;
    value = {nullptr, nullptr};
    left_out.push_back(key);
  }
  if (index.contains("requires_safety_checker")) index["requires_safety_checker"] = false;
  return index;
}

/// The source's own file where it agrees with the model, which --prediction-type may have
/// overruled.
void write_schedule(const models::StableDiffusion& model, const fs::path& folder) {
  if (path_exists(folder / "scheduler_config.json") &&
      ScheduleConfig::from_folder(folder).prediction_type == model.schedule.prediction_type) {
    return;
  }
  model.schedule.write(folder);
}

}  // namespace

std::vector<std::string> write_descriptions(const SourceModel& source_model, const fs::path& source,
                                            const fs::path& folder) {
  const models::StableDiffusion& model = source_model.model;
  const std::map<std::string, Json> configs{
      {"unet", model.unet.config().to_json()},
      {"vae", model.vae.config().to_json()},
      {"text_encoder", model.text_encoder.config().to_json()}};
  for (const auto& [part, config] : configs) {
    const fs::path own = source / part / "config.json";
    if (path_exists(own)) {
      copy_config(own, folder / part / "config.json", python_name(source_model.dtypes.at(part)));
    } else {
      write_json(folder / part / "config.json", config);
    }
  }
  copy_small_files(source_model.tokenizer, folder / "tokenizer");
  copy_small_files(source / "scheduler", folder / "scheduler");
  write_schedule(model, folder / "scheduler");
  std::vector<std::string> left_out;
  write_json(folder / "model_index.json", index_of(source, model, left_out));
  return left_out;
}

std::vector<std::string> write_diffusers_folder(const SourceModel& source_model,
                                                const fs::path& source, const fs::path& folder) {
  const models::StableDiffusion& model = source_model.model;
  model.unet.save(folder / "unet", source_model.dtypes.at("unet"));
  model.vae.save(folder / "vae", source_model.dtypes.at("vae"));
  model.text_encoder.save(folder / "text_encoder", source_model.dtypes.at("text_encoder"));
  return write_descriptions(source_model, source, folder);
}

}  // namespace dd::convert
