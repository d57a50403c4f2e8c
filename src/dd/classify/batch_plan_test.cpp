// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/batch_plan.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace dd::classify {
namespace {

TrainOptions options_with(double lambda, std::int64_t batch, std::int64_t real_batch = 0) {
  TrainOptions options;
  options.lambda = lambda;
  options.batch = batch;
  options.real_batch = real_batch;
  options.epochs = 2;
  return options;
}

TEST(BatchPlan, SharesABatchInHalves) {
  const BatchPlan plan = plan_batches(options_with(0.8, 9), 10, 90);
  EXPECT_EQ(plan.real, 5);
  EXPECT_EQ(plan.synthetic, 4);
  EXPECT_DOUBLE_EQ(plan.real_weight, 0.8);
  EXPECT_DOUBLE_EQ(plan.synthetic_weight, 1 - 0.8);
  EXPECT_EQ(plan.steps, 23) << "200 pictures in batches of 9";
}

TEST(BatchPlan, TakesTheRealImagesThatAreAskedFor) {
  const BatchPlan plan = plan_batches(options_with(0.8, 64, 8), 10, 90);
  EXPECT_EQ(plan.real, 8);
  EXPECT_EQ(plan.synthetic, 56);
}

TEST(BatchPlan, OneKindAloneHasTheWholeBatchAndWeightWhateverLambdaSays) {
  const BatchPlan real = plan_batches(options_with(0.3, 8), 10, 0);
  EXPECT_EQ(real.real, 8);
  EXPECT_EQ(real.synthetic, 0);
  EXPECT_DOUBLE_EQ(real.real_weight, 1);
  const BatchPlan synthetic = plan_batches(options_with(0.3, 8), 0, 10);
  EXPECT_EQ(synthetic.synthetic, 8);
  EXPECT_DOUBLE_EQ(synthetic.synthetic_weight, 1);
  EXPECT_EQ(synthetic.steps, 3);
}

TEST(BatchPlan, AKindWithoutWeightIsNotDrawn) {
  const BatchPlan real = plan_batches(options_with(1, 8), 10, 90);
  EXPECT_EQ(real.real, 8);
  EXPECT_EQ(real.steps, 3) << "the synthetic images do not count";
  const BatchPlan synthetic = plan_batches(options_with(0, 8), 10, 90);
  EXPECT_EQ(synthetic.real, 0);
  EXPECT_EQ(synthetic.synthetic, 8);
}

TEST(BatchPlan, AWarmUpInEpochsFollowsTheNumberOfImages) {
  TrainOptions options = options_with(0.8, 10);
  options.optimizer.warmup = 7;
  EXPECT_EQ(plan_batches(options, 10, 90).warmup, 7);
  options.warmup_epochs = 0.5;
  EXPECT_EQ(plan_batches(options, 10, 90).warmup, 5);
  EXPECT_EQ(plan_batches(options, 0, 400).warmup, 20);
}

TEST(BatchPlan, ReadsLambdas) {
  EXPECT_EQ(parse_lambdas({"0.5", "1", "0"}), (std::vector<double>{0.5, 1, 0}));
  for (const std::string text : {"", "x", "1.5", "-0.1", "nan", "0.5 "}) {
    EXPECT_THROW(parse_lambdas({text}), Error) << text;
  }
  EXPECT_THROW(parse_lambdas({"0.5", "0.50"}), Error);
}

/// The text of the error that check() throws; empty without one.
std::string refusal(const TrainOptions& options) {
  try {
    options.check();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(TrainOptions, RefusesWhatDoesNotFitTogether) {
  TrainOptions options;
  options.clip = "clip";
  EXPECT_NE(refusal(options).find("nothing to train on"), std::string::npos);
  options.synthetic = "images";
  EXPECT_EQ(refusal(options), "");
  options.shots = 4;
  EXPECT_NE(refusal(options).find("--real"), std::string::npos);
  options.real = "photos";
  EXPECT_EQ(refusal(options), "");
  options.real_batch = options.batch;
  EXPECT_NE(refusal(options).find("--real-batch"), std::string::npos);
  options.real_batch = 0;
  options.lambdas = {"0.5"};
  EXPECT_NE(refusal(options).find("--val"), std::string::npos);
}

TEST(TrainOptions, APresetSettlesTheWholeAugmentation) {
  TrainOptions options;
  options.clip = "clip";
  options.real = "photos";
  options.augment_preset = "paper";
  EXPECT_EQ(refusal(options), "");
  EXPECT_EQ(options.resolved().augmentation.rand_augment, 2);
  options.augmentation.crop_min_area = 0.5;
  EXPECT_NE(refusal(options).find("--crop-min-area"), std::string::npos);
  options.augmentation = {};
  options.augment = false;
  EXPECT_NE(refusal(options).find("--augment-preset"), std::string::npos);
  options.augment_preset = "own";
  EXPECT_EQ(refusal(options), "");
  EXPECT_EQ(options.resolved().augmentation.rand_augment, 0);
  options.mixing = {.share = 0.2, .mixup_alpha = 0, .cutmix_alpha = 0};
  EXPECT_NE(refusal(options).find("--mix"), std::string::npos);
}

TEST(TrainOptions, NeverChoosesOnTestOrTrainingImages) {
  TrainOptions options;
  options.clip = "clip";
  options.real = options.val = "photos";
  EXPECT_EQ(refusal(options), "");
  options.val_split = "test";
  EXPECT_NE(refusal(options).find("test images"), std::string::npos);
  options.val_split = options.split;
  EXPECT_NE(refusal(options).find("same images"), std::string::npos);
}

}  // namespace
}  // namespace dd::classify
