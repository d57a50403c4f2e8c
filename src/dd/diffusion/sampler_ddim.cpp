// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>

#include <cmath>

#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

class DdimSampler final : public Sampler {
 public:
  explicit DdimSampler(const ScheduleConfig& config)
      : Sampler(config, ZeroSnr::kExact),
        final_alpha_(config.set_alpha_to_one.value_or(true) ? 1.0f : alphas_.front()) {}

 protected:
  void plan(std::int64_t count) override {
    timesteps_ = full_grid(spacing_or(TimestepSpacing::kLeading), count, config_);
    for (double& timestep : timesteps_) timestep = std::nearbyint(timestep);
    stride_ = config_.num_train_timesteps / count;
  }

  at::Tensor advance(const at::Tensor& output, std::int64_t step,
                     const at::Tensor& sample) override {
    const auto timestep = static_cast<std::int64_t>(timesteps_.at(static_cast<std::size_t>(step)));
    const std::int64_t previous = timestep - stride_;
    const float alpha = alphas_.at(static_cast<std::size_t>(timestep));
    const float alpha_next =
        previous >= 0 ? alphas_.at(static_cast<std::size_t>(previous)) : final_alpha_;
    const float signal = std::sqrt(alpha);
    const float noise = std::sqrt(1.0f - alpha);

    const at::Tensor clean =
        predicted_clean(config_.prediction_type, output, sample, {signal, noise, 0});
    at::Tensor epsilon = output;
    if (config_.prediction_type == PredictionType::kVelocity) {
      epsilon = output * signal + sample * noise;
    } else if (config_.prediction_type == PredictionType::kSample) {
      epsilon = (sample - clean * signal) / noise;
    }
    return clean * std::sqrt(alpha_next) + epsilon * std::sqrt(1.0f - alpha_next);
  }

 private:
  float final_alpha_;
  std::int64_t stride_ = 1;
};

}  // namespace

std::unique_ptr<Sampler> make_ddim(const ScheduleConfig& config) {
  return std::make_unique<DdimSampler>(config);
}

}  // namespace dd
