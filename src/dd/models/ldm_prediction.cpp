// SPDX-License-Identifier: Apache-2.0
#include "dd/models/ldm_prediction.h"

#include <cstdlib>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd::models {
namespace {

// https://github.com/Stability-AI/ModelSpec
constexpr const char* kSpecPrediction = "modelspec.prediction_type";
constexpr const char* kSpecResolution = "modelspec.resolution";
constexpr const char* kSteps = "global_step";
constexpr const char* kStepsOfBase = "875000";

std::string entry(const io::Checkpoint& checkpoint, const std::string& key) {
  const auto found = checkpoint.metadata().find(key);
  return found == checkpoint.metadata().end() ? "" : found->second;
}

}  // namespace

LdmPrediction ldm_prediction(const io::Checkpoint& checkpoint, const std::filesystem::path& folder,
                             bool second_family) {
  const std::string spec = entry(checkpoint, kSpecPrediction);
  if (spec == "epsilon" || spec == "eps")
    return {PredictionType::kEpsilon, cat(kSpecPrediction, " in ", checkpoint.label())};
  if (spec == "v" || spec == "v_prediction")
    return {PredictionType::kVelocity, cat(kSpecPrediction, " in ", checkpoint.label())};
  if (!spec.empty()) {
    fail_input(cat(checkpoint.label(), ": ", kSpecPrediction, " is \"", spec,
                   "\", which is not supported; name the right one by --prediction-type"));
  }
  const std::filesystem::path scheduler = folder / "scheduler";
  if (path_exists(scheduler / "scheduler_config.json")) {
    return {ScheduleConfig::from_folder(scheduler).prediction_type,
            (scheduler / "scheduler_config.json").string()};
  }
  if (!second_family) return {PredictionType::kEpsilon, "all of Stable Diffusion 1 is"};
  if (entry(checkpoint, kSteps) == kStepsOfBase)
    return {PredictionType::kEpsilon, cat(kSteps, " in ", checkpoint.label())};
  return {PredictionType::kVelocity, "as the 768 px models of Stable Diffusion 2", true};
}

std::int64_t ldm_resolution(const io::Checkpoint& checkpoint) {
  const std::int64_t pixels = std::atoll(entry(checkpoint, kSpecResolution).c_str());
  return pixels > 0 && pixels <= 8192 ? pixels : 0;
}

}  // namespace dd::models
