// SPDX-License-Identifier: Apache-2.0
#include "dd/run/effort.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

using dd::Json;
using dd::run::Cell;
using dd::run::Effort;
using dd::run::ModelCosts;

constexpr std::int64_t kClasses = 4;

dd::ScheduleConfig schedule() {
  dd::ScheduleConfig schedule = dd::ScheduleConfig::stable_diffusion();
  schedule.class_name = "PNDMScheduler";
  schedule.skip_prk_steps = true;
  return schedule;
}

const ModelCosts& costs() {
  static const ModelCosts known{.adapt_picture = 10,
                                .adapt_prompt = 3,
                                .evaluation = 4,
                                .prompt_keys = 0.5,
                                .shallow_evaluation = 1,
                                .encode_picture = 2,
                                .decode_picture = {5, 3, 0},
                                .train_picture = 6,
                                .train_prompts = 7,
                                .score_picture = 1,
                                .schedule = schedule()};
  return known;
}

Cell cell_of(const std::string& method, const std::string& mode = "none") {
  Cell cell{.settings = {}, .method = dd::run::method_named(method), .mode = mode};
  cell.settings.shots = 2;
  cell.settings.per_class = 3;
  cell.settings.adapt_steps = 10;
  cell.settings.adapt_batch = 5;
  cell.settings.sampler = "ddim";
  cell.settings.sample_steps = 8;
  cell.settings.guidance = 2;
  cell.settings.classifier_steps = 20;
  cell.settings.classifier_batch = 16;
  return cell;
}

Effort effort(const Cell& cell) {
  return dd::run::effort_of(cell, costs(), kClasses);
}

TEST(Effort, CountsWhatEachMethodNeeds) {
  EXPECT_EQ(effort(cell_of("zero-shot")).flops(), 0);
  const Effort real = effort(cell_of("real"));
  EXPECT_EQ(real.train_images, 20 * 16);
  EXPECT_EQ(real.flops(), 20 * 16 * 6 + 20 * 7);
  const Effort frozen = effort(cell_of("frozen"));
  EXPECT_EQ(frozen.drawn_images, 12);
  EXPECT_EQ(frozen.draw_flops, 12 * (8 * 2 * 4 + 2 * 0.5 + 5))
      << "guidance takes two passes, and keys and values of two prompts, once";
  EXPECT_EQ(frozen.train_flops, real.train_flops);
  Cell unguided = cell_of("frozen");
  unguided.settings.guidance = 1;
  EXPECT_EQ(effort(unguided).draw_flops, 12 * (8 * 4 + 0.5 + 5));
}

TEST(Effort, CountsWhatCheaperDrawingLeavesOut) {
  Cell cell = cell_of("frozen");
  const auto work = [&] { return dd::run::drawing_work(cell, costs()); };
  EXPECT_EQ(work().passes, 16);
  EXPECT_EQ(work().flops, 16 * 4 + 2 * 0.5 + 5);
  cell.settings.cache_every = 3;
  EXPECT_EQ(work().passes, 16);
  EXPECT_EQ(work().shallow_passes, 10) << "5 of 8 evaluations";
  EXPECT_EQ(work().flops, 6 * 4 + 10 * 1 + 2 * 0.5 + 5);
  cell.settings.cache_every = 1;
  cell.settings.guidance_interval = "0.5:3";
  EXPECT_EQ(work().evaluations, 8);
  EXPECT_EQ(work().passes, 8 + 4) << "4 of them are guided";
  EXPECT_EQ(work().flops, 12 * 4 + 3 * 0.5 + 5) << "both kinds of batches have keys and values";
  cell.settings.guidance_interval = "all";
  cell.settings.decode_shrink = 2;
  EXPECT_EQ(work().flops, 16 * 4 + 2 * 0.5 + 3);
  cell.settings.decode_shrink = 3;
  EXPECT_THROW(work(), dd::Error) << "it does not fit";
  EXPECT_EQ(effort(cell_of("frozen")).to_json().at("draw").at("image_flops"), 16 * 4 + 2 * 0.5 + 5);
}

TEST(Effort, BothModesShareTheSteps) {
  const Effort dataset = effort(cell_of("synthetic", "dataset"));
  EXPECT_EQ(dataset.adapt_steps, 10);
  EXPECT_EQ(dataset.adapt_images, 50);
  const Effort by_class = effort(cell_of("synthetic", "class"));
  EXPECT_EQ(by_class.adapt_steps, 12) << "3 for each of 4 classes, as adapt rounds";
  EXPECT_EQ(by_class.adapt_flops, 60 * 10 + 12 * 3 + 8 * 2);
}

TEST(Effort, SamplersAndStrengthDecideTheEvaluations) {
  Cell cell = cell_of("frozen");
  cell.settings.sampler = "auto";
  EXPECT_EQ(dd::run::drawing_work(cell, costs()).evaluations, 9) << "pndm takes one more";
  Cell disef = cell_of("disef");
  disef.settings.strength = 0.75;
  EXPECT_EQ(dd::run::drawing_work(disef, costs()).evaluations, 6);
  EXPECT_EQ(effort(disef).draw_flops, 12 * (6 * 2 * 4 + 2 * 0.5 + 5) + 8 * 2);
}

TEST(Effort, SaysWhenMethodsWereNotTrainedAlike) {
  const auto result = [](const Cell& cell) {
    return Json{{"method", cell.method.name}, {"effort", effort(cell).to_json()}};
  };
  Cell mixed = cell_of("frozen+real");
  EXPECT_EQ(dd::run::unequal_training(Json::array(
                {result(cell_of("zero-shot")), result(cell_of("real")), result(mixed)})),
            "");
  mixed.settings.lambdas = {"0.5", "0.8"};
  const std::string warning =
      dd::run::unequal_training(Json::array({result(cell_of("real")), result(mixed)}));
  EXPECT_NE(warning.find("real saw 320 images, frozen+real 640"), std::string::npos) << warning;
}

TEST(ModelCosts, SurviveTheirFile) {
  const ModelCosts read = ModelCosts::from_json(costs().to_json(), "run.json");
  EXPECT_EQ(read.to_json(), costs().to_json());
  EXPECT_THROW(ModelCosts::from_json(Json::object(), "run.json"), dd::Error);
  Json earlier = costs().to_json();
  EXPECT_TRUE(ModelCosts::is_complete(earlier));
  earlier.erase("schedule");
  EXPECT_FALSE(ModelCosts::is_complete(earlier));
  EXPECT_FALSE(ModelCosts::is_complete(Json())) << "nothing was counted yet";
}

}  // namespace
