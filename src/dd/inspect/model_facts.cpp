// SPDX-License-Identifier: Apache-2.0
#include "dd/inspect/model_facts.h"

#include <ATen/core/Tensor.h>

#include <array>

#include "dd/classify/clip_model.h"
#include "dd/core/files.h"
#include "dd/diffusion/sampler.h"
#include "dd/inspect/weight_facts.h"
#include "dd/models/ldm_file.h"
#include "dd/models/stable_diffusion.h"
#include "dd/text/tokenizer_files.h"

namespace dd::inspect {
namespace fs = std::filesystem;
namespace {

/// On this device a tensor has a shape and no content, so that loading reads headers only.
const Placement kShapesOnly{at::kMeta, at::kFloat};

std::string family_of(const models::UNetConfig& config) {
  const char* layout = config.linear_projection ? "2.x" : "1.x";
  const std::int64_t usual = config.linear_projection ? 1024 : 768;
  if (config.context_width == usual && config.widths.front() == 320) return layout;
  return cat("other, laid out as ", layout);
}

Json unet_json(const models::UNetConfig& config) {
  return {{"cross_attention", config.context_width},
          {"projections", config.linear_projection ? "linear" : "convolution"},
          {"widths", config.widths},
          {"heads", config.heads},
          {"upcast_attention", config.upcast_attention},
          {"in_channels", config.in_channels}};
}

Json encoder_json(const nn::ClipEncoderConfig& config) {
  return {{"width", config.width},
          {"layers", config.layers},
          {"heads", config.heads},
          {"activation", nn::activation_name(config.activation)}};
}

Json tokenizer_json(const ClipTokenizer& tokenizer, const fs::path& folder) {
  Json json{{"entries", tokenizer.vocab_size()},
            {"start_id", tokenizer.start_id()},
            {"end_id", tokenizer.end_id()},
            {"pad_id", tokenizer.pad_id()}};
  if (path_is_folder(folder)) {
    for (const auto& [token, id] : read_tokenizer_files(folder).vocab) {
      if (id == tokenizer.pad_id()) json["pad_token"] = token;
    }
  }
  json["length"] = tokenizer.context_length();
  return json;
}

/// Where the prediction type was read.
std::string prediction_source(const fs::path& path) {
  const fs::path file = path / "scheduler" / "scheduler_config.json";
  if (!path_exists(file)) return "assumed";
  return read_json(file).contains("prediction_type")
             ? "scheduler/scheduler_config.json"
             : "assumed, scheduler/scheduler_config.json does not say";
}

void add_parts(const models::UNet& unet, const models::Vae& vae, const models::TextEncoder& text,
               Report& report) {
  report.facts["unet"] = unet_json(unet.config());
  report.facts["vae"] = {{"latent_channels", vae.config().latent_channels},
                         {"factor", vae.config().factor()},
                         {"scaling_factor", vae.config().scaling_factor}};
  report.facts["text_encoder"] = encoder_json(text.config().encoder);
}

void add_folder(const models::StableDiffusion& model, const fs::path& path, Report& report) {
  Json& facts = report.facts;
  facts["family"] = family_of(model.unet.config());
  facts["prediction_type"] = to_string(model.schedule.prediction_type);
  facts["prediction_type_from"] = prediction_source(path);
  facts["default_size"] = model.default_size();
  facts["sampler"] = default_sampler_name(model.schedule);
  facts["scheduler"] = model.schedule.class_name;
  facts["fingerprint"] = model.fingerprint;
  add_parts(model.unet, model.vae, model.text_encoder, report);
  facts["tokenizer"] = tokenizer_json(model.tokenizer, path / "tokenizer");
}

/// A single file is usable together with a tokenizer, which may lie anywhere.
void add_single_file(const fs::path& path, const models::ModelOptions& options, Report& report) {
  const models::LdmModels model = models::load_ldm_models(path, kShapesOnly, options);
  Json& facts = report.facts;
  facts["family"] = family_of(model.parts.unet);
  facts["prediction_type"] = to_string(model.prediction.type);
  facts["prediction_type_from"] =
      (model.prediction.assumed ? "assumed, " : "") + model.prediction.from;
  facts["default_size"] = model.parts.unet.sample_size * model.parts.vae.factor();
  facts["fingerprint"] = models::fingerprint_of(path, options);
  add_parts(model.unet, model.vae, model.text_encoder, report);
  const fs::path tokenizer = models::ldm_tokenizer(path, options);
  if (path_is_folder(tokenizer)) {
    report.attempt(
        [&] { facts["tokenizer"] = tokenizer_json(ClipTokenizer::load(tokenizer), tokenizer); });
  } else {
    report.warnings.push_back(cat("a single file has no tokenizer, and none lies at ",
                                  tokenizer.string(), "; name one with --tokenizer"));
  }
}

/// Each part by itself, so that one that is damaged does not hide another.
void examine_parts(const fs::path& path, Report& report) {
  report.attempt([&] { ClipTokenizer::load(path / "tokenizer"); });
  report.attempt([&] { models::TextEncoder::load(path / "text_encoder", kShapesOnly); });
  report.attempt([&] { models::UNet::load(path / "unet", kShapesOnly); });
  report.attempt([&] { models::Vae::load(path / "vae", kShapesOnly); });
  report.attempt([&] { ScheduleConfig::from_folder(path / "scheduler"); });
}

void add_ignored(const fs::path& path, Report& report) {
  Json ignored = Json::array();
  for (const char* name : {"safety_checker", "feature_extractor", "image_encoder"}) {
    if (path_exists(path / name)) ignored.push_back(name);
  }
  if (!ignored.empty()) report.facts["ignored"] = std::move(ignored);
}

}  // namespace

void examine_stable_diffusion(const fs::path& path, const models::ModelOptions& options, bool deep,
                              Report& report) {
  const bool is_folder = path_is_folder(path);
  report.facts["format"] = is_folder ? "diffusers folder" : "single file";
  const ModelWeights weights = stable_diffusion_weights(path);
  WeightFacts all;
  Json parts = Json::object();
  for (const auto& [name, part] : weights.parts) {
    parts[name] = part.to_json();
    all.parameters += part.parameters;
    all.bytes += part.bytes;
  }
  report.facts["parameters"] = all.parameters;
  report.facts["bytes"] = all.bytes;
  report.attempt([&] {
    if (is_folder) {
      add_folder(models::StableDiffusion::load(path, kShapesOnly, options), path, report);
    } else {
      add_single_file(path, options, report);
    }
  });
  if (!report.usable() && is_folder) {
    // The parts say what the whole said, and more.
    const std::vector<std::string> whole = std::move(report.problems);
    report.problems.clear();
    examine_parts(path, report);
    if (report.problems.empty()) report.problems = whole;
  }
  report.facts["weights"] = std::move(parts);
  add_ignored(path, report);
  for (const io::Checkpoint& checkpoint : weights.checkpoints) {
    if (deep) examine_content(checkpoint, report);
  }
}

void examine_part(const fs::path& path, Kind kind, bool deep, Report& report) {
  const bool is_folder = path_is_folder(path);
  const char* stem = kind == Kind::kTextEncoder ? "model" : "diffusion_pytorch_model";
  report.facts["format"] = is_folder ? "folder" : "single file";
  if (is_folder) {
    report.attempt([&] {
      if (kind == Kind::kUNet) models::UNet::load(path, kShapesOnly);
      if (kind == Kind::kVae) models::Vae::load(path, kShapesOnly);
      if (kind == Kind::kTextEncoder) models::TextEncoder::load(path, kShapesOnly);
    });
  } else {
    report.warnings.emplace_back(
        "a part of a model without its config.json; whether it is complete was not checked");
  }
  report.attempt([&] {
    const io::Checkpoint checkpoint =
        is_folder ? io::Checkpoint::open(path, stem) : io::Checkpoint::open_file(path);
    WeightFacts facts;
    facts.add(checkpoint);
    report.facts["weights"] = facts.to_json();
    if (deep) examine_content(checkpoint, report);
  });
}

void examine_clip(const fs::path& path, bool deep, Report& report) {
  const bool is_folder = path_is_folder(path);
  report.facts["format"] = is_folder ? "Hugging Face folder" : "single file";
  report.attempt([&] {
    const classify::ClipModel model = classify::ClipModel::load(path, kShapesOnly);
    const models::ClipConfig& config = model.clip.config();
    report.facts["image_size"] = config.vision.image_size;
    report.facts["patch_size"] = config.vision.patch_size;
    report.facts["projection"] = config.projection;
    report.facts["fingerprint"] = model.fingerprint;
    report.facts["vision"] = encoder_json(config.vision.encoder);
    report.facts["text"] = encoder_json(config.text.encoder);
    report.facts["text"]["end_token"] = config.text.end_token;
    report.facts["preprocess"] = {{"resize_to", model.preprocess.resize_to},
                                  {"size", model.preprocess.size}};
    const fs::path own = path / "tokenizer";
    report.facts["tokenizer"] = tokenizer_json(model.tokenizer, path_is_folder(own) ? own : path);
  });
  report.attempt([&] {
    const io::Checkpoint checkpoint =
        is_folder ? io::Checkpoint::open(path, "model") : io::Checkpoint::open_file(path);
    WeightFacts facts;
    facts.add(checkpoint);
    report.facts["weights"] = facts.to_json();
    if (deep) examine_content(checkpoint, report);
  });
}

void examine_tensors(const fs::path& path, bool deep, Report& report) {
  constexpr std::size_t kShown = 10;
  const io::Checkpoint checkpoint = io::Checkpoint::open_file(path);
  const std::vector<std::string> names = checkpoint.names();
  WeightFacts facts;
  facts.add(checkpoint);
  Json first = Json::object();
  for (const std::string& name : names) {
    const io::TensorInfo& info = checkpoint.info(name);
    if (first.size() < kShown) {
      first[name] = cat(precision_name(info.dtype), " ", at::IntArrayRef(info.shape));
    }
  }
  report.facts["weights"] = facts.to_json();
  report.facts["first_tensors"] = std::move(first);
  if (!checkpoint.metadata().empty()) report.facts["metadata"] = Json(checkpoint.metadata());
  report.warnings.emplace_back("no model, LoRA or classifier that is known has these tensors");
  if (deep) examine_content(checkpoint, report);
}

}  // namespace dd::inspect
