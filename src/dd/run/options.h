// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/fields.h"
#include "dd/models/model_options.h"

namespace dd::run {

/// The whole way from a few shots to measured classifiers. The defaults suit the embedded base and
/// its demo; larger models want the papers' settings (docs/guide.md). What is not listed here stays
/// as the stages have it.
struct RunOptions final : Options {
  std::filesystem::path model;  ///< diffusers folder or single file; empty = the embedded base
  models::ModelOptions model_options{};
  std::filesystem::path clip;  ///< as `train` takes it; empty = the embedded base
  std::string data = "fashion-mnist:/usr/share/datasets/fashion-mnist";  ///< see data/dataset.h
  std::string split = "train";      ///< that the shots are drawn from
  std::string test_split = "test";  ///< that accuracy is measured on, and nothing else
  std::int64_t shots = 16;          ///< images a class
  std::int64_t per_class = 100;     ///< synthetic images a class
  std::string mode = "both";        ///< of the adaptation: class, dataset or both
  std::vector<std::int64_t> seeds;  ///< empty = the one of --seed
  std::vector<std::string> methods{"zero-shot", "real", "synthetic", "synthetic+real"};
  std::string prompt_template = "a photo of a {}";
  bool align = true;  ///< compare synthetic images with real ones that are no shots

  std::int64_t adapt_steps = 400;  ///< for the whole data set; a class gets steps / classes
  std::int64_t adapt_batch = 32;
  double adapt_lr = 2e-3;
  std::int64_t adapt_warmup = 20;
  std::int64_t adapt_rank = 16;
  double adapt_alpha = 16;
  std::int64_t adapt_validation_shots = 0;  ///< of the shots, held out for the validation loss

  std::string sampler = "dpm++2m";
  std::int64_t sample_steps = 15;
  double guidance = 3.0;
  std::string guidance_interval = "all";  ///< noise levels that are guided, see GuidanceInterval
  std::int64_t cache_every = 1;           ///< steps that share the U-Net's deep features
  std::int64_t decode_shrink = 1;         ///< latents are decoded so many times smaller
  std::int64_t sample_batch = 0;          ///< images at a time; 0 = by their size
  double strength = 0.75;                 ///< of disef: share of the way to noise that shots go
  std::filesystem::path captions;         ///< of disef: prompts of the shots, see `generate`

  std::int64_t classifier_steps = 300;
  std::int64_t classifier_batch = 64;
  double classifier_lr = 1e-3;
  std::int64_t classifier_warmup = 20;
  std::int64_t classifier_rank = 16;
  double classifier_alpha = 16;
  std::string classifier_targets = "qkvo+mlp";
  bool classifier_augment = true;
  double lambda = 0.5;               ///< weight of the real images
  std::vector<std::string> lambdas;  ///< instead: one training each, chosen on `val_split`
  std::string val_split;             ///< for curves and choices; empty = none
  std::string protocol = kHeldOut;   ///< goes with every result; see resolved()

  static constexpr const char* kHeldOut = "held-out";
  static constexpr const char* kPaperCode = "paper-code";

  void visit(FieldVisitor& visitor) override;
  /// Ranges, and that the choices fit together; Error(kUsage) names the flag.
  void check() const;

  /// With the protocol's choices in place. paper-code takes those of DataDream's official code
  /// (github.com/ExplainableML/DataDream) where they differ from the paper: a classifier LoRA on q
  /// and v alone with alpha 32 and dropout 0.1, its augmentation and mixing, one noise for all
  /// classes, and the best epoch on the test split.
  RunOptions resolved() const;
  bool paper_code() const { return protocol == kPaperCode; }

  bool wants(const std::string& method) const;
  /// The modes of adaptation, in the order of the stages.
  std::vector<std::string> modes() const;
};

}  // namespace dd::run
