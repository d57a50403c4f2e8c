// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/classify/preprocess.h"
#include "dd/core/context.h"
#include "dd/data/dataset.h"
#include "dd/models/clip.h"
#include "dd/text/tokenizer.h"

namespace dd::classify {

/// A CLIP with all that scoring needs. Not copied; LoRA may change its layers between calls.
struct ClipModel {
  models::Clip clip;
  ClipTokenizer tokenizer;
  Preprocess preprocess;
  Placement placement;
  std::string fingerprint;  ///< of its files (io/fingerprint.h)

  /// A Hugging Face folder; the tokenizer's files lie in it or in FOLDER/tokenizer. Error(kInput).
  static ClipModel load(const std::filesystem::path& folder, Placement placement);
};

/// The prompts of all classes as tokens [C, T] on the model's device, T no longer than the longest
/// prompt needs. Warns of names that are cut.
at::Tensor class_tokens(const ClipModel& model, const std::vector<std::string>& class_names,
                        const std::string& prompt_template, Reporter& report);

/// exp(logit_scale) · cosines, float32 [B, C], of features of unit length.
at::Tensor cosine_logits(const ClipModel& model, const at::Tensor& image_features,
                         const at::Tensor& text_features);

struct ScoreOptions {
  std::int64_t batch = 128;
  std::int64_t threads = 1;           ///< that decode and resize
  std::string name = "score images";  ///< for progress; empty = none
};

/// Logits float32 [size, C] on the CPU of every image of the set, in its order, without gradients.
/// Error(kInput) names a damaged image.
at::Tensor score_images(const ClipModel& model, const at::Tensor& text_features,
                        const Dataset& images, const ScoreOptions& options, const Context& context);

/// Zero-shot (or adapted) classification: the text tower runs once, then score_images.
at::Tensor classify_images(const ClipModel& model, const at::Tensor& tokens, const Dataset& images,
                           const ScoreOptions& options, const Context& context);

/// What `threads` = 0 means.
std::int64_t thread_count(std::int64_t threads);

}  // namespace dd::classify
