// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dd/classify/preprocess.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/data/dataset.h"
#include "dd/models/clip_file.h"
#include "dd/text/tokenizer.h"

namespace dd::classify {

/// Which CLIP, and what its files may leave open.
struct ClipSource {
  std::filesystem::path path;       ///< folder or weights file, see models/clip_file.h
  std::filesystem::path tokenizer;  ///< folder or file (text/tokenizer.h); empty = with the weights
  std::string activation = "auto";  ///< of the towers, see models/clip_file.h

  ClipSource() = default;
  ClipSource(std::filesystem::path model) : path(std::move(model)) {}
  ClipSource(const char* model) : path(model) {}

  void visit(FieldVisitor& visitor);
  /// Where the tokenizer is read from: `tokenizer`, else FOLDER/tokenizer, else the folder, that of
  /// the weights file or the model's own. Error(kInput) when neither model nor tokenizer is there.
  std::filesystem::path find_tokenizer() const;
  /// Tells models apart that would give other numbers; io/fingerprint.h. Error(kInput) as above.
  std::string fingerprint() const;
};

/// A CLIP with all that scoring needs. Not copied; LoRA may change its layers between calls.
struct ClipModel {
  models::Clip clip;
  ClipTokenizer tokenizer;
  Preprocess preprocess;
  Placement placement;
  std::string fingerprint;  ///< of the source
  std::string assumed;  ///< what no file says, see models/clip_file.h; a warning where not empty

  static ClipModel load(const ClipSource& source, Placement placement);  ///< Error(kInput)
};

/// The prompts of all classes on the model's device, no longer than the longest one needs. Warns of
/// names that are cut.
models::ClipPrompts class_prompts(const ClipModel& model,
                                  const std::vector<std::string>& class_names,
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
/// Together with the ranks of `context`, which share the images. Error(kInput) names a damaged
/// image.
at::Tensor score_images(const ClipModel& model, const at::Tensor& text_features,
                        const Dataset& images, const ScoreOptions& options, const Context& context);

/// Zero-shot (or adapted) classification: the text tower runs once, then score_images.
at::Tensor classify_images(const ClipModel& model, const models::ClipPrompts& prompts,
                           const Dataset& images, const ScoreOptions& options,
                           const Context& context);

}  // namespace dd::classify
