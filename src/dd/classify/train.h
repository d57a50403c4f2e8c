// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dd/classify/clip_model.h"
#include "dd/classify/mixing.h"
#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/fields.h"
#include "dd/data/augment.h"
#include "dd/train/optimizer.h"

namespace dd::classify {

/// A classifier: LoRA in both towers of CLIP, trained on synthetic images, real shots, or both
/// (DataDream, arXiv 2407.10910, section 3). Loss = λ CE(real) + (1 − λ) CE(synthetic), each a mean
/// over its own images of the batch; one kind alone has weight 1.
///
/// Names of flags are those of the fields, except where `visit` says otherwise ("lambda",
/// "template").
struct TrainOptions final : Options {
  TrainOptions();  ///< weight decay 1e-4, as in the paper

  ClipSource clip;
  std::filesystem::path
      synthetic;                ///< folder that `generate` wrote, or any folder of class folders
  std::string real;             ///< see data/dataset.h
  std::string split = "train";  ///< of the real data
  std::int64_t shots = 0;       ///< real images a class, drawn by the seed; 0 = all
  std::filesystem::path shots_file;   ///< shots.json of an earlier draw (adapt, run)
  std::int64_t images_per_class = 0;  ///< the first N synthetic images of a class; 0 = all

  double lambda = 0.8;  ///< weight of the real images where both kinds are given
  std::int64_t rank = 16;
  double alpha = 16;             ///< the official code takes 32 …
  double dropout = 0;            ///< … and 0.1 …
  std::string targets = "qkvo";  ///< … and "qv"; "qkvo+mlp" adapts the MLPs too
  std::string prompt_template = "a photo of a {}";

  std::int64_t epochs = 60;  ///< passes over as many images as there are, where `steps` is 0
  std::int64_t steps = 0;
  std::int64_t batch = 64;
  std::int64_t real_batch = 0;  ///< images of a batch that are real; 0 = half
  double label_smoothing = 0;   ///< share of a target that all classes have evenly
  MixOptions mixing{};
  bool augment = true;
  std::string augment_preset = "own";  ///< "own": `augmentation` counts; "paper": it is replaced
  AugmentOptions augmentation{};
  train::OptimizerOptions optimizer{};
  double warmup_epochs = 0;  ///< where above 0, instead of `optimizer.warmup`

  std::string val;                ///< labelled images for every choice below; empty = none
  std::string val_split = "val";  ///< never "test"
  /// Lifts that ban; no flag, a part of the protocol paper-code of `run`.
  bool may_choose_on_test = false;
  std::vector<std::string> lambdas;  ///< one training for each of these λ; validation chooses
  std::string choose = "last";       ///< last step, or the validated step with the best accuracy
  std::int64_t validate_every = 100;
  std::int64_t save_every = 500;

  void visit(FieldVisitor& visitor) override;
  /// Ranges, and that the choices fit together; Error(kUsage) names the flag.
  void check() const;
  /// With the preset's augmentation in place: what takes effect.
  TrainOptions resolved() const;
};

struct TrainClassifierResult {
  bool skipped = false;  ///< a complete classifier of these settings was there
  std::int64_t real_images = 0;
  std::int64_t synthetic_images = 0;
  std::int64_t classes = 0;
  std::int64_t steps = 0;                 ///< of each training
  std::int64_t chosen_step = 0;           ///< whose weights were kept
  double lambda = 0;                      ///< that the kept classifier was trained with
  double last_loss = 0;                   ///< of the kept training's last steps
  std::optional<double> validation_top1;  ///< of the kept weights
  double seconds = 0;                     ///< all trainings together
};

/// Writes OUT/adapter_model.safetensors and adapter_config.json (PEFT's format),
/// training_curve.csv (step, loss and rate of each update) and classifier.json, which appears last.
/// With `lambdas`, a folder OUT/lambda-… for each. An interrupted training goes on where it
/// stopped. Nothing is written before all input was read.
///
/// Error(kInput): images damaged or missing, classes that do not match, K larger than a class.
/// Error(kUsage): options that do not fit together, or OUT holds a classifier of other settings or
/// data and --force was not given.
TrainClassifierResult run_train(const TrainOptions& options, const CommonOptions& common,
                                Context& context);

}  // namespace dd::classify
