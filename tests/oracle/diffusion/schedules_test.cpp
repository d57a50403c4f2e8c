// SPDX-License-Identifier: Apache-2.0
// Noise schedules against diffusers' DDPMScheduler, which training loops use.
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/diffusion/noise_schedule.h"
#include "support/oracle.h"

namespace dd {
namespace {

TEST(ScheduleOracle, AlphasNoisedLatentsAndVelocitiesEqualDiffusers) {
  const io::SafetensorsFile file(test::oracle_path("diffusion/schedules.safetensors"));
  const Json configs = read_json(test::oracle_path("diffusion/schedules.json"));
  ASSERT_EQ(configs.size(), 5u);
  const at::Tensor latents = file.tensor("latents");
  const at::Tensor noise = file.tensor("noise");
  const at::Tensor timesteps = file.tensor("timesteps");
  for (std::size_t number = 0; number < configs.size(); ++number) {
    const std::string key = std::to_string(number);
    const NoiseSchedule schedule(ScheduleConfig::from_json(configs.at(number), "schedules.json"));
    constexpr double kTolerance = 1e-6;
    test::expect_close(schedule.alphas_cumprod(), file.tensor(key + ".alphas"), key, kTolerance);
    test::expect_close(schedule.add_noise(latents, noise, timesteps), file.tensor(key + ".noisy"),
                       key, kTolerance);
    test::expect_close(schedule.velocity(latents, noise, timesteps), file.tensor(key + ".velocity"),
                       key, kTolerance);
  }
}

TEST(ScheduleOracle, TargetFollowsThePredictionType) {
  const io::SafetensorsFile file(test::oracle_path("diffusion/schedules.safetensors"));
  const at::Tensor latents = file.tensor("latents");
  const at::Tensor noise = file.tensor("noise");
  const at::Tensor timesteps = file.tensor("timesteps");
  ScheduleConfig config = ScheduleConfig::stable_diffusion();
  EXPECT_TRUE(NoiseSchedule(config).target(latents, noise, timesteps).equal(noise));
  config.prediction_type = PredictionType::kSample;
  EXPECT_TRUE(NoiseSchedule(config).target(latents, noise, timesteps).equal(latents));
  config.prediction_type = PredictionType::kVelocity;
  test::expect_close(NoiseSchedule(config).target(latents, noise, timesteps),
                     file.tensor("0.velocity"), "velocity", 1e-6);
}

}  // namespace
}  // namespace dd
