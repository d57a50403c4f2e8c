// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "dd/core/error.h"
#include "dd/diffusion/noise_schedule.h"

namespace dd {
namespace {

ErrorKind kind_of_failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

TEST(Sampler, ForcesThePipelinesOffsetAndOwnSpacing) {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  config.steps_offset = 0;
  const auto ddim = make_sampler("ddim", config);
  ddim->set_steps(50);
  EXPECT_EQ(ddim->timesteps().front(), 981);
  EXPECT_EQ(ddim->timesteps().back(), 1);
  const auto solver = make_sampler("dpm++2m", config);
  solver->set_steps(20);
  EXPECT_EQ(solver->timesteps().front(), 999);
  EXPECT_EQ(solver->timesteps().back(), 50);
}

/// What a model says that knows the clean latents, `answer`.
at::Tensor epsilon_towards(const Sampler& sampler, const at::Tensor& answer,
                           const at::Tensor& sample, std::int64_t step) {
  const double level = sampler.noise_level(step);
  const double signal = 1 / std::sqrt(level * level + 1);
  return (sampler.scale_input(sample, step) - answer * signal) / (level * signal);
}

/// A sample that was noised from the answer leads back to it, from any step on; twice, because
/// nothing of the first time may be left.
TEST(Sampler, BeginsInTheMiddle) {
  for (const std::string& name : sampler_names()) {
    ScheduleConfig config = ScheduleConfig::stable_diffusion();
    config.set_alpha_to_one = true;
    const auto sampler = make_sampler(name, config);
    sampler->set_steps(10);
    sampler->begin_at(4);
    const at::Tensor answer = at::full({1, 1, 2, 2}, 0.25);
    // PNDM takes its second step twice, as diffusers does; begun later, it has no such pair, and
    // diffusers is as far off there (tests/oracle/image_to_image holds us to it).
    const double near = name == "pndm" ? 0.1 : 2e-3;
    for (int time = 0; time < 2; ++time) {
      at::Tensor sample = sampler->add_noise(answer, at::full({1, 1, 2, 2}, -0.7), 4);
      EXPECT_GT((sample - answer).abs().max().item<double>(), 0.1) << name;
      for (std::int64_t step = 4; step < std::ssize(sampler->timesteps()); ++step) {
        sample = sampler->step(epsilon_towards(*sampler, answer, sample, step), step, sample);
      }
      EXPECT_LT((sample - answer).abs().max().item<double>(), near) << name;
    }
    EXPECT_EQ(kind_of_failure([&] { sampler->begin_at(99); }), ErrorKind::kUsage) << name;
  }
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  config.skip_prk_steps = false;
  const auto pndm = make_sampler("pndm", config);
  pndm->set_steps(10);
  EXPECT_EQ(kind_of_failure([&] { pndm->begin_at(4); }), ErrorKind::kUsage);
}

/// A model that knows the answer leads every sampler exactly there, whatever it predicts.
TEST(Sampler, PerfectModelsAreFollowedToTheirImage) {
  for (const std::string& name : sampler_names()) {
    ScheduleConfig config = ScheduleConfig::stable_diffusion();
    config.set_alpha_to_one = true;
    const auto sampler = make_sampler(name, config);
    sampler->set_steps(10);
    const at::Tensor answer = at::full({1, 1, 2, 2}, 0.25);
    at::Tensor sample = at::full({1, 1, 2, 2}, sampler->initial_scale());
    for (std::size_t i = 0; i < sampler->timesteps().size(); ++i) {
      const auto step = static_cast<std::int64_t>(i);
      sample = sampler->step(epsilon_towards(*sampler, answer, sample, step), step, sample);
    }
    EXPECT_LT((sample - answer).abs().max().item<double>(), 2e-3) << name;
  }
}

TEST(Sampler, NoiseLevelsFall) {
  for (const std::string name : {"ddim", "dpm++2m", "euler", "unipc"}) {
    const auto sampler = make_sampler(name, ScheduleConfig::stable_diffusion());
    sampler->set_steps(12);
    for (std::int64_t i = 1; i < 12; ++i) {
      EXPECT_LT(sampler->noise_level(i), sampler->noise_level(i - 1)) << name << " " << i;
    }
  }
}

TEST(Sampler, TrailingStepsStayOnTheAxisForEveryCount) {
  // 61 is one of the counts for which floating point gives the reference a timestep of −1.
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  config.timestep_spacing = TimestepSpacing::kTrailing;
  for (const std::string& name : sampler_names()) {
    const auto sampler = make_sampler(name, config);
    for (const std::int64_t steps : {2, 49, 61, 103, 499}) {
      sampler->set_steps(steps);
      EXPECT_EQ(sampler->timesteps().front(), 999) << name << " " << steps;
      EXPECT_GE(sampler->timesteps().back(), 0) << name << " " << steps;
    }
  }
}

TEST(Sampler, WrongRequestsAreUsageErrors) {
  const ScheduleConfig config = ScheduleConfig::stable_diffusion();
  EXPECT_EQ(kind_of_failure([&] { make_sampler("dpm", config); }), ErrorKind::kUsage);
  const auto sampler = make_sampler("ddim", config);
  EXPECT_EQ(kind_of_failure([&] { sampler->set_steps(0); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure([&] { sampler->set_steps(1001); }), ErrorKind::kUsage);
  // Leading steps of 1 with the offset of 1 would end at timestep 1000.
  EXPECT_EQ(kind_of_failure([&] { sampler->set_steps(1000); }), ErrorKind::kUsage);
}

TEST(Sampler, ConfigurationsThatASamplerCannotFollowAreInputErrors) {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  config.prediction_type = PredictionType::kSample;
  EXPECT_EQ(kind_of_failure([&] { make_sampler("pndm", config); }), ErrorKind::kInput);
  config.algorithm_type = "sde-dpmsolver++";
  EXPECT_EQ(kind_of_failure([&] { make_sampler("dpm++2m", config); }), ErrorKind::kInput);
  config.solver_type = "adams";
  EXPECT_EQ(kind_of_failure([&] { make_sampler("unipc", config); }), ErrorKind::kInput);
  config.class_name = "LCMScheduler";
  EXPECT_EQ(kind_of_failure([&] { default_sampler_name(config); }), ErrorKind::kInput);
}

std::string default_of(const std::string& scheduler_class, std::int64_t order = 2) {
  ScheduleConfig config;
  config.class_name = scheduler_class;
  config.solver_order = order;
  return default_sampler_name(config);
}

TEST(Sampler, SchedulerClassesGiveTheirSampler) {
  EXPECT_EQ(default_of("DDIMScheduler"), "ddim");
  EXPECT_EQ(default_of("PNDMScheduler"), "pndm");
  EXPECT_EQ(default_of("DPMSolverMultistepScheduler"), "dpm++2m");
  EXPECT_EQ(default_of("DPMSolverMultistepScheduler", 3), "dpm++3m");
  EXPECT_EQ(default_of("UniPCMultistepScheduler", 3), "unipc");
  for (const std::string& name : sampler_names()) {
    EXPECT_NE(make_sampler(name, ScheduleConfig::stable_diffusion()), nullptr);
  }
}

/// The sample after four steps of a model whose output bends with the sample.
at::Tensor short_run(const std::string& name, const ScheduleConfig& config) {
  const auto sampler = make_sampler(name, config);
  sampler->set_steps(6);
  at::Tensor sample = at::full({1, 1, 1, 1}, 1.0);
  for (std::int64_t i = 0; i < 4; ++i)
    sample = sampler->step(sample / (sample.abs() + 1), i, sample);
  return sample;
}

TEST(Sampler, AnOrderInTheNameOutweighsTheConfiguration) {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  const at::Tensor second = short_run("dpm++2m", config);
  EXPECT_FALSE(second.equal(short_run("dpm++3m", config)));
  EXPECT_FALSE(second.equal(short_run("dpm++1m", config)));
  config.solver_order = 3;
  EXPECT_TRUE(second.equal(short_run("dpm++2m", config)));
}

TEST(Sampler, KarrasLevelsChangeTheSamplersThatKnowThem) {
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  for (const std::string& name : sampler_names()) {
    config.use_karras_sigmas = false;
    const at::Tensor plain = short_run(name, config);
    config.use_karras_sigmas = true;
    EXPECT_NE(plain.equal(short_run(name, config)), knows_karras_sigmas(name)) << name;
  }
}

TEST(NoiseSchedule, HalfPrecisionKeepsTheNoiseOfTheFirstTimestep) {
  const NoiseSchedule schedule(ScheduleConfig::stable_diffusion());
  const at::Tensor zeros = at::full({1, 1}, 0.0, at::kBFloat16);
  const at::Tensor ones = at::full({1, 1}, 1.0, at::kBFloat16);
  const at::Tensor noisy = schedule.add_noise(zeros, ones, at::full({1}, 0, at::kLong));
  EXPECT_EQ(noisy.scalar_type(), at::kBFloat16);
  EXPECT_NEAR(noisy.item<float>(), std::sqrt(0.00085), 2e-4);
}

}  // namespace
}  // namespace dd
