// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/lora/lora_set.h"

namespace dd::classify {

/// The record of a classifier, beside its adapter; written last, so it stands for a complete one.
inline constexpr const char* kClassifierFile = "classifier.json";
/// Beside it: "step,loss,rate", a line for each update.
inline constexpr const char* kCurveFile = "training_curve.csv";

/// A classifier as its folder holds it.
struct SavedClassifier {
  std::vector<std::string> class_names;
  std::string prompt_template;
  std::string clip_fingerprint;  ///< of the CLIP that it was trained on
  std::string hash;              ///< of the adapter
  lora::LoraWeights weights;

  /// Error(kInput) when the folder holds no complete classifier.
  static SavedClassifier load(const std::filesystem::path& folder);
};

}  // namespace dd::classify
