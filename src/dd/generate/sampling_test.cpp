// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/sampling.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace dd::generate {
namespace {

/// A letter for each evaluation: g guided, u unguided, in capitals where the whole U-Net is
/// computed.
std::string plan_text(SamplingOptions options) {
  const auto sampler = make_sampler(options, ScheduleConfig::stable_diffusion());
  std::string text;
  for (const Evaluation& next : plan_evaluations(*sampler, options)) {
    text += next.guided ? (next.reuse ? 'g' : 'G') : (next.reuse ? 'u' : 'U');
  }
  return text;
}

TEST(Sampling, DeepFeaturesAreMadeAtEveryNthEvaluation) {
  SamplingOptions options{.sampler = "ddim", .steps = 7};
  options.guidance.scale = 3;
  EXPECT_EQ(plan_text(options), "GGGGGGG");
  options.cache_every = 3;
  EXPECT_EQ(plan_text(options), "GggGggG");
  options.guidance.scale = 1;
  EXPECT_EQ(plan_text(options), "UuuUuuU");
}

TEST(Sampling, WhereGuidanceBeginsOrEndsDeepFeaturesAreMadeAnew) {
  SamplingOptions options{.sampler = "ddim", .steps = 8, .guidance = guidance_between(3, 0.5, 3)};
  const std::string whole = plan_text(options);
  EXPECT_EQ(whole, "UUGGGGUU") << "noise levels are 7.4, 4.1, 2.5, 1.6, 1.1, 0.7, 0.4, 0.04";
  options.cache_every = 4;
  EXPECT_EQ(plan_text(options), "UuGgGgUu") << "after 4 of them, and with each change";
}

TEST(Sampling, AnUpperEndOfZeroIsNoBound) {
  EXPECT_TRUE(guidance_between(2, 1, 0).active(1e9));
  EXPECT_FALSE(guidance_between(2, 1, 0).active(0.5));
  EXPECT_FALSE(guidance_between(2, 1, 3).active(4));
}

TEST(Sampling, PicturesLeaveOutTheStepsBeforeTheirStrength) {
  SamplingOptions options{.sampler = "ddim", .steps = 8, .strength = 0.5, .cache_every = 3};
  EXPECT_EQ(plan_text(options), "GggG") << "counted from where they begin";
  options.strength = 0.1;
  EXPECT_THROW(plan_text(options), Error) << "no step is left";
}

TEST(Sampling, WhatTheOptionsLeaveOpenIsTheModels) {
  ScheduleConfig schedule = ScheduleConfig::stable_diffusion();
  schedule.class_name = "EulerDiscreteScheduler";
  schedule.use_karras_sigmas = true;
  SamplingOptions options;
  make_sampler(options, schedule);
  EXPECT_EQ(options.sampler, "euler");
  EXPECT_TRUE(options.karras);
  SamplingOptions other{.sampler = "ddim"};
  make_sampler(other, schedule);
  EXPECT_FALSE(other.karras) << "ddim knows no such levels";
  other.karras = true;
  EXPECT_THROW(make_sampler(other, schedule), Error);
}

}  // namespace
}  // namespace dd::generate
