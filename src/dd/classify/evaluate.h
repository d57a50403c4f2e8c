// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/classify/clip_model.h"
#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/metrics/accuracy.h"

namespace dd::classify {

/// Scores a classifier, or zero-shot CLIP, on labelled images.
struct EvaluateOptions final : Options {
  ClipSource clip;
  std::filesystem::path classifier;  ///< folder that `train` wrote; empty = zero-shot
  std::string data;                  ///< see data/dataset.h
  std::string split = "test";
  std::string prompt_template;   ///< empty = the classifier's own, or "a photo of a {}"
  std::string reading = "seen";  ///< of the images; all but "seen" are for comparisons
  std::int64_t batch = 128;
  bool predictions = true;            ///< write predictions.csv
  std::string protocol = "held-out";  ///< that the classifier was made by; no flag, see `run`

  void visit(FieldVisitor& visitor) override;
};

struct EvaluateResult {
  bool skipped = false;  ///< complete metrics of these settings were there; read from them
  AccuracyReport accuracy;
  std::vector<std::string> class_names;
  double seconds = 0;  ///< of scoring, without loading the model
};

/// Writes OUT/metrics.json (`top1`, `top5`, `per_class`, `n`, `confusion`, `ece`, `nll`,
/// `class_names`, `split`, `seconds`, `protocol`, …) and OUT/predictions.csv (file, label,
/// predicted, a logit a class; classes are numbered in the order of the data). Error(kInput) when
/// an image is damaged or the classifier's classes are not those of the data; Error(kUsage) when
/// OUT holds metrics of other settings or data and --force was not given.
EvaluateResult run_evaluate(const EvaluateOptions& options, const CommonOptions& common,
                            Context& context);

}  // namespace dd::classify
