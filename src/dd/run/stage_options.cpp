// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_options.h"

namespace dd::run {
namespace fs = std::filesystem;

adapt::AdaptOptions adapt_options(const Setup& setup, const Cell& cell,
                                  const fs::path& shots_file) {
  const RunOptions& from = cell.settings;
  adapt::AdaptOptions to;
  to.model = setup.model;
  to.data = from.data;
  to.split = from.split;
  to.shots = from.shots;
  to.shots_file = shots_file;
  to.validation_shots = from.adapt_validation_shots;
  to.mode = cell.mode;
  to.prompt_template = from.prompt_template;
  to.rank = from.adapt_rank;
  to.alpha = from.adapt_alpha;
  to.steps = from.adapt_steps;
  to.batch = from.adapt_batch;
  to.optimizer.learning_rate = from.adapt_lr;
  to.optimizer.warmup = from.adapt_warmup;
  return to;
}

generate::GenerateOptions generate_options(const Setup& setup, const Cell& cell,
                                           const fs::path& adapters, std::int64_t per_class) {
  const RunOptions& from = cell.settings;
  generate::GenerateOptions to;
  to.model = setup.model;
  to.adapters = adapters;
  to.classes = from.data;
  to.per_class = per_class;
  to.prompt_template = from.prompt_template;
  to.sampler = from.sampler;
  to.steps = from.sample_steps;
  to.guidance = from.guidance;
  to.batch = from.sample_batch;
  return to;
}

classify::TrainOptions train_options(const Setup& setup, const Cell& cell,
                                     const fs::path& synthetic, const fs::path& shots_file) {
  const RunOptions& from = cell.settings;
  classify::TrainOptions to;
  to.clip = setup.clip;
  to.synthetic = synthetic;
  if (!synthetic.empty()) to.images_per_class = from.per_class;
  if (!shots_file.empty()) {
    to.real = from.data;
    to.split = from.split;
    to.shots_file = shots_file;
  }
  to.lambda = from.lambda;
  if (cell.method.mixes()) to.lambdas = from.lambdas;
  if (!from.val_split.empty()) {
    to.val = from.data;
    to.val_split = from.val_split;
  }
  to.rank = from.classifier_rank;
  to.alpha = from.classifier_alpha;
  to.targets = from.classifier_targets;
  to.prompt_template = from.prompt_template;
  to.steps = from.classifier_steps;
  to.batch = from.classifier_batch;
  to.augment = from.classifier_augment;
  to.optimizer.learning_rate = from.classifier_lr;
  to.optimizer.warmup = from.classifier_warmup;
  return to;
}

classify::EvaluateOptions evaluate_options(const Setup& setup, const Cell& cell,
                                           const fs::path& classifier) {
  classify::EvaluateOptions to;
  to.clip = setup.clip;
  to.data = cell.settings.data;
  to.split = cell.settings.test_split;
  to.classifier = classifier;
  if (classifier.empty()) to.prompt_template = cell.settings.prompt_template;
  return to;
}

align::AlignOptions align_options(const Setup& setup, const Cell& cell,
                                  const std::filesystem::path& images,
                                  const std::filesystem::path& shots_file) {
  align::AlignOptions to;
  to.real = cell.settings.data;
  to.real_split = cell.settings.split;
  to.shots_file = shots_file;
  to.synthetic = images;
  to.per_class = cell.settings.per_class;
  to.clip = setup.clip;
  return to;
}

}  // namespace dd::run
