// SPDX-License-Identifier: Apache-2.0
// Whole sampling runs against diffusers' schedulers; tools/oracle/schedulers.py says what is
// recorded.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/diffusion/sampler.h"
#include "support/oracle.h"

namespace dd {
namespace {

/// Euler from a noise level of 4096 (zero SNR) loses digits in float32; every other run stays below
/// 1e-5.
double tolerance_of(const Json& run) {
  const bool wide =
      run.at("sampler") == "euler" && run.at("changes").contains("rescale_betas_zero_snr");
  return wide ? 5e-5 : 1e-5;
}

/// The closed-form model of the script.
at::Tensor fake_model(const io::SafetensorsFile& file, const at::Tensor& x, double timestep) {
  return file.tensor("gain") * x / (x.abs() + 1) + file.tensor("bias") * (timestep / 1000);
}

void expect_timesteps(const Sampler& sampler, const at::Tensor& expected) {
  ASSERT_EQ(static_cast<std::int64_t>(sampler.timesteps().size()), expected.numel());
  for (std::int64_t i = 0; i < expected.numel(); ++i) {
    const double want = expected[i].item<double>();
    EXPECT_NEAR(sampler.timesteps()[static_cast<std::size_t>(i)], want, 1e-4) << "timestep " << i;
  }
}

void compare_run(const io::SafetensorsFile& file, const std::string& key, const Json& run) {
  const auto config = ScheduleConfig::from_json(run.at("config"), "traces.json");
  const auto sampler = make_sampler(run.at("sampler").get<std::string>(), config);
  sampler->set_steps(run.at("steps").get<std::int64_t>());
  expect_timesteps(*sampler, file.tensor(key + ".timesteps"));

  const at::Tensor start = file.tensor(key + ".start");
  const at::Tensor trace = file.tensor(key + ".trace");
  const double scale = (start.norm() / file.tensor("0.start").norm()).item<double>();
  EXPECT_NEAR(sampler->initial_scale(), scale, 1e-5 * scale);
  at::Tensor sample = start;
  for (std::int64_t i = 0; i < trace.size(0); ++i) {
    const double timestep = sampler->timesteps().at(static_cast<std::size_t>(i));
    sample = sampler->step(fake_model(file, sampler->scale_input(sample, i), timestep), i, sample);
    test::expect_close(sample, trace[i], "evaluation " + std::to_string(i), tolerance_of(run));
  }
}

TEST(SamplerOracle, EveryStepOfEveryRunEqualsDiffusers) {
  const io::SafetensorsFile file(test::oracle_path("diffusion/traces.safetensors"));
  const Json runs = read_json(test::oracle_path("diffusion/traces.json"));
  ASSERT_GT(runs.size(), 100u);
  for (std::size_t number = 0; number < runs.size(); ++number) {
    const Json& run = runs.at(number);
    SCOPED_TRACE(cat(run.at("sampler"), " in ", run.at("steps"), " steps, ", run.at("changes")));
    compare_run(file, std::to_string(number), run);
  }
}

TEST(SamplerOracle, SecondRunOfOneSamplerStartsAfresh) {
  const io::SafetensorsFile file(test::oracle_path("diffusion/traces.safetensors"));
  for (const std::string& name : sampler_names()) {
    const auto sampler = make_sampler(name, ScheduleConfig::stable_diffusion());
    sampler->set_steps(6);
    std::vector<at::Tensor> results;
    for (int repeat = 0; repeat < 2; ++repeat) {
      at::Tensor sample = file.tensor("0.start") * sampler->initial_scale();
      for (std::size_t i = 0; i < sampler->timesteps().size(); ++i) {
        const auto step = static_cast<std::int64_t>(i);
        const at::Tensor seen = sampler->scale_input(sample, step);
        sample = sampler->step(fake_model(file, seen, sampler->timesteps()[i]), step, sample);
      }
      results.push_back(sample);
    }
    EXPECT_TRUE(results[0].equal(results[1])) << name;
  }
}

}  // namespace
}  // namespace dd
