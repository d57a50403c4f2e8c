// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"
#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

/// Works on samples of growing deviation (x_0 + sigma · noise); the model sees them scaled back
/// to 1.
class EulerSampler final : public Sampler {
 public:
  explicit EulerSampler(const ScheduleConfig& config) : Sampler(config, ZeroSnr::kFinite) {}

  double initial_scale() const override {
    ensure(!sigmas_.empty(), "set_steps() comes before initial_scale()");
    const float largest = *std::max_element(sigmas_.begin(), sigmas_.end());
    const bool leading = spacing_or(TimestepSpacing::kLinspace) == TimestepSpacing::kLeading;
    return leading ? std::sqrt(largest * largest + 1.0f) : largest;
  }

  at::Tensor scale_input(const at::Tensor& sample, std::int64_t step) const override {
    const float sigma = sigmas_.at(static_cast<std::size_t>(step));
    return sample / std::sqrt(sigma * sigma + 1.0f);
  }

 protected:
  Mixture mixture(std::int64_t step) const override {
    return {1.0f, sigmas_.at(static_cast<std::size_t>(step))};
  }

  void plan(std::int64_t count) override {
    timesteps_ = full_grid(spacing_or(TimestepSpacing::kLinspace), count, config_);
    // The reference keeps these timesteps in float32.
    for (double& timestep : timesteps_) timestep = static_cast<float>(timestep);
    std::vector<double> sigmas;
    for (const double timestep : timesteps_) sigmas.push_back(interpolate(levels_, timestep));
    if (config_.use_karras_sigmas) {
      sigmas = karras_sigmas(config_.sigma_min.value_or(sigmas.back()),
                             config_.sigma_max.value_or(sigmas.front()), count);
      timesteps_.clear();
      for (const double sigma : sigmas) {
        timesteps_.push_back(static_cast<float>(timestep_of_sigma(levels_, sigma)));
      }
    }
    sigmas.push_back(final_sigma(config_, levels_.front()));
    sigmas_.assign(sigmas.size(), 0);
    std::transform(sigmas.begin(), sigmas.end(), sigmas_.begin(),
                   [](double sigma) { return static_cast<float>(sigma); });
  }

  at::Tensor advance(const at::Tensor& output, std::int64_t step,
                     const at::Tensor& sample) override {
    const auto index = static_cast<std::size_t>(step);
    const float sigma = sigmas_.at(index);
    const at::Tensor slope = (sample - clean(output, sigma, sample)) / sigma;
    return sample + slope * (sigmas_.at(index + 1) - sigma);
  }

 private:
  at::Tensor clean(const at::Tensor& output, float sigma, const at::Tensor& sample) const {
    switch (config_.prediction_type) {
      case PredictionType::kEpsilon:
        return sample - output * sigma;
      case PredictionType::kVelocity: {
        const float square = sigma * sigma + 1.0f;
        return output * (-sigma / std::sqrt(square)) + sample / square;
      }
      case PredictionType::kSample:
        break;
    }
    return output;
  }

  std::vector<float> sigmas_;  ///< one more than timesteps
};

}  // namespace

std::unique_ptr<Sampler> make_euler(const ScheduleConfig& config) {
  return std::make_unique<EulerSampler>(config);
}

}  // namespace dd
