// SPDX-License-Identifier: Apache-2.0
#include "dd/models/ldm_file.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/models/checkpoint_source.h"
#include "dd/models/ldm_config.h"
#include "dd/models/ldm_prediction.h"
#include "dd/text/tokenizer_files.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kLatentsOf768 = 96;

LdmPrediction prediction_of(const io::Checkpoint& checkpoint, const fs::path& folder,
                            const LdmParts& parts, const ModelOptions& options) {
  if (options.prediction_type == "auto") return ldm_prediction(checkpoint, folder, parts.openclip);
  return {
      options.prediction_type == "epsilon" ? PredictionType::kEpsilon : PredictionType::kVelocity,
      "as --prediction-type says"};
}

ScheduleConfig schedule_of(const fs::path& folder, const LdmPrediction& prediction) {
  ScheduleConfig schedule = path_exists(folder / "scheduler" / "scheduler_config.json")
                                ? ScheduleConfig::from_folder(folder / "scheduler")
                                : ScheduleConfig::stable_diffusion();
  schedule.prediction_type = prediction.type;
  return schedule;
}

std::int64_t sample_size(const io::Checkpoint& checkpoint, const LdmParts& parts,
                         const LdmPrediction& prediction) {
  if (const std::int64_t pixels = ldm_resolution(checkpoint))
    return std::max<std::int64_t>(1, pixels / parts.vae.factor());
  const bool is_768 = parts.openclip && prediction.type == PredictionType::kVelocity;
  return is_768 ? kLatentsOf768 : parts.unet.sample_size;
}

/// Everything in the file that the three models do not ask for and that is known to be there.
void ignore_extras(CheckpointSource& source, const LdmParts& parts) {
  for (const std::string& beginning : ldm_extras()) source.ignore_prefix(beginning);
  if (parts.openclip) {
    source.ignore_prefix(
        cat(kLdmOpenClip, "transformer.resblocks.", parts.text.encoder.layers, '.'));
  }
}

void note_findings(StableDiffusion& model, const LdmPrediction& prediction, bool second) {
  model.notes.push_back(cat(model.source, ": Stable Diffusion ", second ? 2 : 1, ", predicts ",
                            to_string(prediction.type), prediction.assumed ? " (assumed: " : " (",
                            prediction.from,
                            prediction.assumed ? "; --prediction-type overrides)" : ")"));
  // OpenCLIP, with which Stable Diffusion 2 was trained, fills up with zeros.
  if (second && model.tokenizer.pad_id() != 0) {
    model.notes.push_back(cat("the tokenizer fills prompts up with token ",
                              model.tokenizer.pad_id(),
                              "; Stable Diffusion 2 was trained with 0: is it its tokenizer?"));
  }
}

}  // namespace

fs::path ldm_folder(const fs::path& file) {
  const fs::path own = file.parent_path() / file.stem();
  return path_is_folder(own) ? own : file.parent_path();
}

fs::path ldm_tokenizer(const fs::path& file, const ModelOptions& options) {
  return options.tokenizer.empty() ? ldm_folder(file) / "tokenizer" : options.tokenizer;
}

std::vector<fs::path> ldm_companions(const fs::path& file, const ModelOptions& options) {
  const fs::path folder = ldm_folder(file);
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& companion) {
    if (path_exists(companion)) files.push_back(companion);
  };
  for (const char* part : {"unet", "vae", "text_encoder"}) add(folder / part / "config.json");
  add(folder / "scheduler" / "scheduler_config.json");
  const fs::path tokenizer = folder / "tokenizer";
  if (options.tokenizer.empty() && path_is_folder(tokenizer)) {
    for (const fs::path& part : tokenizer_file_paths(tokenizer)) files.push_back(part);
  }
  return files;
}

LdmModels load_ldm_models(const fs::path& file, Placement placement, const ModelOptions& options) {
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(file);
  const fs::path folder = ldm_folder(file);
  LdmParts parts = ldm_parts(checkpoint, folder);
  const LdmPrediction prediction = prediction_of(checkpoint, folder, parts, options);
  if (!path_exists(folder / "unet" / "config.json"))
    parts.unet.sample_size = sample_size(checkpoint, parts, prediction);
  CheckpointSource source(checkpoint, placement, ldm_names(parts));
  ignore_extras(source, parts);
  TextEncoder text_encoder(source, parts.text);
  source.set_placement(unet_placement(placement));
  UNet unet(source, parts.unet);
  source.set_placement(vae_placement(placement));
  Vae vae(source, parts.vae);
  source.finish();
  return {.parts = std::move(parts),
          .prediction = prediction,
          .text_encoder = std::move(text_encoder),
          .unet = std::move(unet),
          .vae = std::move(vae)};
}

StableDiffusion load_ldm(const fs::path& file, Placement placement, const ModelOptions& options) {
  const fs::path tokenizer = ldm_tokenizer(file, options);
  if (!path_is_folder(tokenizer)) {
    fail_input(cat("no tokenizer for ", file.string(), ": a single file has none; put the folder ",
                   "tokenizer of the model beside it, or name it by --tokenizer"));
  }
  LdmModels models = load_ldm_models(file, placement, options);
  StableDiffusion model{.tokenizer = ClipTokenizer::load(tokenizer),
                        .text_encoder = std::move(models.text_encoder),
                        .unet = std::move(models.unet),
                        .vae = std::move(models.vae),
                        .schedule = schedule_of(ldm_folder(file), models.prediction),
                        .placement = placement,
                        .source = file.string(),
                        .fingerprint = fingerprint_of(file, options),
                        .notes = {}};
  note_findings(model, models.prediction, models.parts.openclip);
  return model;
}

}  // namespace dd::models
