// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/diffusion/schedule_config.h"
#include "dd/io/checkpoint.h"

namespace dd::models {

/// What a single-file checkpoint predicts, and how that is known.
struct LdmPrediction {
  PredictionType type = PredictionType::kEpsilon;
  std::string from;      ///< where it was read, or why it is assumed
  bool assumed = false;  ///< nothing says it
};

/// The first that says it: `modelspec.prediction_type` in the file's metadata; FOLDER/scheduler/
/// scheduler_config.json; the family. Stable Diffusion 1 is epsilon. The weights of Stable
/// Diffusion 2 do not tell the 768 px models (v_prediction) from the 512 px base (epsilon): as
/// diffusers does, the base is known by the 875000 training steps its .ckpt counts, and any other
/// file is taken for v_prediction.
LdmPrediction ldm_prediction(const io::Checkpoint& checkpoint, const std::filesystem::path& folder,
                             bool second_family);

/// The pixels a side that the file's metadata (`modelspec.resolution`) name; 0 where they do not.
std::int64_t ldm_resolution(const io::Checkpoint& checkpoint);

}  // namespace dd::models
