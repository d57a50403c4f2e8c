// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapter_record.h"

#include "dd/core/durable_files.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/data/class_list.h"
#include "dd/io/safetensors.h"
#include "dd/lora/lora_file.h"

namespace dd::adapt {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRunFile = "adapt.json";
constexpr const char* kRecordFile = "adapter.json";
constexpr const char* kStateFile = "adapter-state.safetensors";

void remove_files(const fs::path& folder) {
  std::error_code error;
  for (const char* name : {kRecordFile, lora::kLoraFileName, kStateFile}) {
    fs::remove(folder / name, error);
    if (error) {
      fail_resource(cat("cannot remove ", (folder / name).string(), ": ", error.message(),
                        "; remove it by hand or choose another --out"));
    }
  }
}

Json images_json(const AdaptPlan& plan, const std::vector<std::int64_t>& shots) {
  Json images = Json::array();
  for (const std::int64_t shot : shots) {
    const auto label = static_cast<std::size_t>(plan.shots->label(shot));
    images.push_back({{"id", plan.shots->id(shot)}, {"class", plan.shots->class_names()[label]}});
  }
  return images;
}

/// Adapters of several machines are copied together by hand: one may be half a file.
bool is_whole(const fs::path& adapter) {
  if (!path_exists(adapter)) return false;
  try {
    const io::SafetensorsFile file(adapter);
    return !file.entries().empty();
  } catch (const Error&) {
    return false;
  }
}

Json curve_json(const std::vector<train::CurvePoint>& curve) {
  Json json = Json::array();
  for (const train::CurvePoint& point : curve) json.push_back({point.step, point.value});
  return json;
}

}  // namespace

void prepare_output(const fs::path& out, const AdaptPlan& plan, const AdaptRun& run, bool force) {
  const fs::path run_file = out / kRunFile;
  if (path_exists(run_file) && !force) {
    const Json earlier = read_json(run_file);
    if (json_value<std::string>(earlier, "identity", "", run_file.string()) == run.identity) return;
    fail_usage(cat(out.string(),
                   " holds adapters of other settings, images or of another model; "
                   "use --force to start over, or another --out"));
  }
  if (force) {
    drop_record(run_file);
    remove_files(out);
    for (const std::string& folder : plan.folders) remove_files(out / folder);
  }
  write_shots(out / "shots.json", *plan.data, plan.record);
  if (plan.jobs.front().folder != out) {
    write_class_list(out, folders_for_classes(plan.shots->class_names()));
  }
  write_json(run_file, {{"identity", run.identity},
                        {"model", run.model},
                        {"model_hash", run.fingerprint},
                        {"data_hash", plan.data_hash},
                        {"settings", Json::parse(run.settings)}});
}

bool is_complete(const AdapterJob& job, const AdaptRun& run) {
  const fs::path file = job.folder / kRecordFile;
  if (!path_exists(file) || !is_whole(job.folder / lora::kLoraFileName)) return false;
  return json_value<std::string>(read_json(file), "identity", "", file.string()) == run.identity;
}

fs::path state_file(const AdapterJob& job) {
  return job.folder / kStateFile;
}

void write_record(const AdapterJob& job, const AdaptPlan& plan, const AdaptRun& run,
                  const train::TrainResult& result, std::int64_t parameters) {
  Json prompts = Json::array();
  for (const std::int64_t label : job.classes) {
    prompts.push_back(plan.prompts[static_cast<std::size_t>(label)]);
  }
  // Without held-out shots the fixed cases come from the training shots: the curve then shows how
  // well they are fitted, not how well that carries over.
  const char* validated_on = job.validation.empty() ? "training shots" : "held-out shots";
  write_json(job.folder / kRecordFile, {{"class", job.class_name},
                                        {"prompts", prompts},
                                        {"steps", result.steps},
                                        {"seconds", result.seconds},
                                        {"parameters", parameters},
                                        {"loss", curve_json(result.losses)},
                                        {"fixed_noise_loss_on", validated_on},
                                        {"fixed_noise_loss", curve_json(result.validation)},
                                        {"identity", run.identity},
                                        {"model", run.model},
                                        {"model_hash", run.fingerprint},
                                        {"settings", Json::parse(run.settings)},
                                        {"shots", images_json(plan, job.train)},
                                        {"held_out", images_json(plan, job.validation)}});
}

}  // namespace dd::adapt
