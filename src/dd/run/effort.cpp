// SPDX-License-Identifier: Apache-2.0
#include "dd/run/effort.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "dd/adapt/adapt_plan.h"
#include "dd/core/error.h"
#include "dd/generate/sampling.h"
#include "dd/run/guidance_interval.h"

namespace dd::run {
namespace {

/// How many different classes a batch of pictures drawn at random holds, on average.
double prompts_in_batch(std::int64_t classes, std::int64_t batch) {
  const auto count = static_cast<double>(classes);
  return count * (1 - std::pow(1 - 1 / count, static_cast<double>(batch)));
}

void add_adaptation(Effort& effort, const Cell& cell, const ModelCosts& costs,
                    std::int64_t classes) {
  const RunOptions& settings = cell.settings;
  const bool per_class = cell.mode == "class";
  const std::int64_t each =
      per_class ? adapt::steps_of_class(settings.adapt_steps, classes) : settings.adapt_steps;
  effort.adapt_steps = per_class ? each * classes : each;
  effort.adapt_images = effort.adapt_steps * settings.adapt_batch;
  const double prompts = per_class ? 1 : prompts_in_batch(classes, settings.adapt_batch);
  effort.adapt_flops = static_cast<double>(effort.adapt_images) * costs.adapt_picture +
                       static_cast<double>(effort.adapt_steps) * prompts * costs.adapt_prompt +
                       static_cast<double>(settings.shots * classes) * costs.encode_picture;
}

void add_drawing(Effort& effort, const Cell& cell, const ModelCosts& costs, std::int64_t classes) {
  const RunOptions& settings = cell.settings;
  effort.drawn_images = settings.per_class * classes;
  effort.draw = drawing_work(cell, costs);
  effort.draw_flops = static_cast<double>(effort.drawn_images) * effort.draw.flops;
  if (cell.method.images == ImageSource::kShots) {
    effort.draw_flops += static_cast<double>(settings.shots * classes) * costs.encode_picture;
  }
}

void add_training(Effort& effort, const Cell& cell, const ModelCosts& costs) {
  const RunOptions& settings = cell.settings;
  effort.train_steps = cell.trainings() * settings.classifier_steps;
  effort.train_images = effort.train_steps * settings.classifier_batch;
  effort.train_flops = static_cast<double>(effort.train_images) * costs.train_picture +
                       static_cast<double>(effort.train_steps) * costs.train_prompts;
}

}  // namespace

Json Effort::to_json() const {
  return {{"adapt", {{"steps", adapt_steps}, {"images", adapt_images}, {"flops", adapt_flops}}},
          {"draw",
           {{"images", drawn_images},
            {"evaluations", draw.evaluations},
            {"passes", draw.passes},
            {"shallow_passes", draw.shallow_passes},
            {"image_flops", draw.flops},
            {"flops", draw_flops}}},
          {"train", {{"steps", train_steps}, {"images", train_images}, {"flops", train_flops}}},
          {"flops", flops()}};
}

DrawingWork drawing_work(const Cell& cell, const ModelCosts& costs) {
  const RunOptions& settings = cell.settings;
  const GuidanceInterval interval = GuidanceInterval::parse(settings.guidance_interval);
  generate::SamplingOptions sampling{
      .sampler = settings.sampler,
      .steps = settings.sample_steps,
      .guidance = generate::guidance_between(settings.guidance, interval.low, interval.high),
      .strength = cell.method.images == ImageSource::kShots ? settings.strength : 0,
      .cache_every = settings.cache_every};
  const auto sampler = generate::make_sampler(sampling, costs.schedule);
  DrawingWork work;
  double prompts = 0;  // whose keys and values are made: batches of guided rows have their own
  bool guided_before = false;
  bool unguided_before = false;
  for (const generate::Evaluation& next : generate::plan_evaluations(*sampler, sampling)) {
    const std::int64_t rows = next.guided ? 2 : 1;
    bool& before = next.guided ? guided_before : unguided_before;
    if (!before) prompts += static_cast<double>(rows);
    before = true;
    ++work.evaluations;
    work.passes += rows;
    if (next.reuse) work.shallow_passes += rows;
  }
  work.flops = static_cast<double>(work.passes - work.shallow_passes) * costs.evaluation +
               static_cast<double>(work.shallow_passes) * costs.shallow_evaluation +
               prompts * costs.prompt_keys + costs.decode(settings.decode_shrink);
  return work;
}

Effort effort_of(const Cell& cell, const ModelCosts& costs, std::int64_t classes) {
  Effort effort;
  if (cell.adapted()) add_adaptation(effort, cell, costs, classes);
  if (cell.method.images != ImageSource::kNone) add_drawing(effort, cell, costs, classes);
  if (!cell.method.zero_shot()) add_training(effort, cell, costs);
  return effort;
}

std::string unequal_training(const Json& results) {
  std::map<std::int64_t, std::string> by_images;
  for (const Json& result : results) {
    const Json train = result.value("effort", Json::object()).value("train", Json::object());
    const auto images = json_value<std::int64_t>(train, "images", 0, "results");
    if (images > 0)
      by_images.emplace(images, json_required<std::string>(result, "method", "results"));
  }
  if (by_images.size() < 2) return {};
  return cat("the classifiers of this table were not trained alike: ", by_images.begin()->second,
             " saw ", by_images.begin()->first, " images, ", by_images.rbegin()->second, " ",
             by_images.rbegin()->first, "; compare methods at equal cost");
}

}  // namespace dd::run
