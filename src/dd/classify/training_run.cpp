// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/training_run.h"

#include <ATen/core/grad_mode.h>

#include <array>
#include <cstdio>

#include "dd/classify/adapter_file.h"
#include "dd/classify/classifier_file.h"
#include "dd/core/files.h"
#include "dd/core/room.h"
#include "dd/models/activations.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStateFile = "training_state.safetensors";
constexpr const char* kBestFile = "best_state.safetensors";

Json curve_to_json(const std::vector<train::CurvePoint>& curve) {
  Json json = Json::array();
  for (const train::CurvePoint& point : curve) json.push_back({point.step, point.value});
  return json;
}

train::EngineOptions engine_options(const TrainingSetup& setup, const TrainingRun& run,
                                    const BatchPlan& plan) {
  train::OptimizerOptions optimizer = setup.options.optimizer;
  optimizer.warmup = plan.warmup;
  return {.name = run.name,
          .steps = plan.steps,
          .save_every = setup.options.save_every,
          .validate_every = setup.data.validation.empty() ? 0 : setup.options.validate_every,
          .state_file = run.folder / kStateFile,
          .keep_step_losses = true,
          .events = run.folder,
          .identity = run.identity,
          .optimizer = optimizer};
}

/// The rate that update `step`, counted from 1, was made with.
double rate_of(const train::EngineOptions& options, std::int64_t step) {
  return train::learning_rate(options.optimizer, step - 1, options.steps);
}

std::string curve_csv(const train::EngineOptions& options, const train::TrainResult& result) {
  std::string text = "step,loss,rate\n";
  for (const train::CurvePoint& point : result.step_losses) {
    std::array<char, 96> line{};
    const int length = std::snprintf(line.data(), line.size(), "%lld,%.9g,%.9g\n",
                                     static_cast<long long>(point.step), point.value,
                                     rate_of(options, point.step));
    text.append(line.data(), static_cast<std::size_t>(length));
  }
  return text;
}

/// At the steps of the loss curve.
Json rate_curve(const train::EngineOptions& options, const train::TrainResult& result) {
  Json json = Json::array();
  for (const train::CurvePoint& point : result.losses) {
    json.push_back({point.step, rate_of(options, point.step)});
  }
  return json;
}

Json make_record(const TrainingSetup& setup, const TrainingRun& run, const BatchPlan& plan,
                 const train::TrainResult& result, const ValidationRecord& validation,
                 std::int64_t chosen_step) {
  Json top1 = Json::array();
  for (const auto& [step, value] : validation.curve()) top1.push_back({step, value});
  const auto chosen = validation.curve().find(chosen_step);
  return {{"format", "datadream classifier 1"},
          {"identity", run.identity},
          {"class_names", setup.data.class_names},
          {"template", setup.options.prompt_template},
          {"clip_fingerprint", setup.model.fingerprint},
          {"settings", options_to_json(setup.options)},
          {"seed", setup.seed},
          {"dtype", dtype_name(setup.model.placement.dtype)},
          {"images",
           {{"real", setup.data.real.size()},
            {"synthetic", setup.data.synthetic.size()},
            {"validation", setup.data.validation.size()}}},
          {"lambda", plan.real_weight},
          {"batch", {{"real", plan.real}, {"synthetic", plan.synthetic}}},
          {"steps", result.steps},
          {"chosen_step", chosen_step},
          {"validation_top1", chosen == validation.curve().end() ? Json() : Json(chosen->second)},
          {"seconds", result.seconds},
          {"curves",
           {{"loss", curve_to_json(result.losses)},
            {"validation_loss", curve_to_json(result.validation)},
            {"validation_top1", top1}}}};
}

}  // namespace

lora::LoraOptions lora_options(const TrainOptions& options) {
  return {.rank = options.rank, .alpha = options.alpha, .dropout = options.dropout};
}

lora::LoraTargets lora_targets(const TrainOptions& options) {
  const std::size_t plus = options.targets.find('+');
  return lora::clip_targets(options.targets.substr(0, plus), plus != std::string::npos);
}

TrainingRoom room_of_training(const ClipModel& model, const TrainOptions& options,
                              std::int64_t steps, std::int64_t classes, std::int64_t ranks) {
  const std::vector<lora::ModelPart> parts{{"", &model.clip.parameters()}};
  constexpr std::int64_t kNumber = 4;  // float32
  const std::int64_t adapter =
      kNumber * lora::LoraSet(parts, lora_targets(options), lora_options(options), 0).count();
  constexpr std::int64_t kOfAStep = 256;  // curves, as a table, in the record and for TensorBoard
  constexpr std::int64_t kRecords = std::int64_t{256} * 1024;
  const models::ClipConfig& shapes = model.clip.config();
  const std::int64_t rows = (options.batch + ranks - 1) / ranks;
  const double activations = static_cast<double>(rows) * models::clip_image_activations(shapes) +
                             static_cast<double>(classes) * models::clip_prompt_activations(shapes);
  const auto each = static_cast<double>(c10::elementSize(model.placement.dtype));
  // Moments are two. The state is there twice while it is replaced, the best weights likewise.
  return {.memory = 4 * adapter + whole_bytes(each * activations),
          .disk = (1 + 2 * 3 + 2) * adapter + steps * kOfAStep + kRecords};
}

Json train_classifier(const TrainingSetup& setup, const TrainingRun& run, Context& context) {
  TrainOptions options = setup.options;
  options.lambda = run.lambda;
  const BatchPlan plan = plan_batches(options, setup.data.real.size(), setup.data.synthetic.size());
  const std::vector<lora::ModelPart> parts{{"", &setup.model.clip.parameters()}};
  lora::LoraSet lora(parts, lora_targets(options), lora_options(options),
                     mix_seed(setup.seed, "classifier/lora"));
  train::FlatParameters parameters(lora.parameters());
  make_folder(run.folder);
  const bool writes = context.ranks.first();
  ValidationRecord validation(run.folder / kBestFile, run.identity, writes);
  TrainingTask task(setup, plan, lora, parameters, validation);
  const train::EngineOptions engine = engine_options(setup, run, plan);
  const train::TrainResult result = train::run_training(engine, parameters, task, context);
  parameters.freeze();
  std::int64_t chosen_step = result.steps;
  if (options.choose == "best" && validation.best_step()) {
    const at::NoGradGuard no_grad;
    chosen_step = *validation.best_step();
    parameters.data().copy_(validation.best());
  }
  Json record = make_record(setup, run, plan, result, validation, chosen_step);
  record["curves"]["rate"] = rate_curve(engine, result);
  if (writes) {
    write_adapter(run.folder, lora.weights(), lora_options(options));
    write_file_atomically(run.folder / kCurveFile, curve_csv(engine, result));
    write_json(run.folder / kClassifierFile, record);
    remove_states(run.folder);
  }
  context.ranks.meet();
  return record;
}

void remove_states(const fs::path& folder) {
  for (const char* state : {kStateFile, kBestFile}) fs::remove(folder / state);
}

void remove_classifier(const fs::path& folder) {
  // The record first: without it, what is left does not count as a classifier.
  for (const char* file :
       {kClassifierFile, kCurveFile, kAdapterFile, kAdapterConfig, kStateFile, kBestFile}) {
    std::error_code error;
    fs::remove(folder / file, error);
    if (error) {
      fail_resource(cat("cannot remove ", (folder / file).string(), ": ", error.message(),
                        "; check the folder's permissions"));
    }
  }
}

}  // namespace dd::classify
