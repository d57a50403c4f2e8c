// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_options.h"

#include <algorithm>

#include "dd/run/guidance_interval.h"

namespace dd::run {
namespace fs = std::filesystem;
namespace {

/// What the official code does besides: see RunOptions::resolved().
void take_paper_code(const Setup& setup, const Cell& cell, classify::TrainOptions& to) {
  to.dropout = 0.1;
  to.augment_preset = "paper";
  to.mixing.share = 0.2;
  to.may_choose_on_test = true;
  to.choose = "best";
  // After each epoch.
  const std::int64_t each = (cell.method.real ? cell.settings.shots : 0) +
                            (to.synthetic.empty() ? 0 : cell.settings.per_class);
  to.validate_every = std::max<std::int64_t>(1, each * setup.data->num_classes() / to.batch);
}

}  // namespace

adapt::AdaptOptions adapt_options(const Setup& setup, const Cell& cell,
                                  const fs::path& shots_file) {
  const RunOptions& from = cell.settings;
  adapt::AdaptOptions to;
  to.model = setup.model;
  to.model_options = from.model_options;
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
                                           const DrawnFrom& drawn_from, std::int64_t per_class) {
  const RunOptions& from = cell.settings;
  generate::GenerateOptions to;
  to.model = setup.model;
  to.model_options = from.model_options;
  to.adapters = drawn_from.adapters;
  to.from_shots = drawn_from.shots_file.string();
  if (!to.from_shots.empty()) {
    to.strength = from.strength;
    to.captions = from.captions;
  }
  to.shared_noise = from.paper_code();
  to.classes = from.data;
  to.per_class = per_class;
  to.prompt_template = from.prompt_template;
  to.sampler = from.sampler;
  to.steps = from.sample_steps;
  to.guidance = from.guidance;
  const GuidanceInterval interval = GuidanceInterval::parse(from.guidance_interval);
  to.guidance_low = interval.low;
  to.guidance_high = interval.high;
  to.cache_every = from.cache_every;
  to.decode_shrink = from.decode_shrink;
  to.batch = from.sample_batch;
  return to;
}

classify::TrainOptions train_options(const Setup& setup, const Cell& cell,
                                     const fs::path& synthetic, const fs::path& shots_file) {
  const RunOptions from = cell.settings.resolved();
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
  if (from.paper_code()) take_paper_code(setup, cell, to);
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
  to.protocol = cell.settings.protocol;
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
