// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "dd/core/error.h"
#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

/// Below this many steps the reference lowers the order towards the end (`lower_order_final`).
constexpr std::size_t kFewSteps = 15;

bool wants_heun(const ScheduleConfig& config) {
  const std::string type = config.solver_type.value_or("midpoint");
  if (type == "heun") return true;
  // Names of other solvers' types mean midpoint here, so that their configurations can be taken
  // over.
  if (type == "midpoint" || type == "bh1" || type == "bh2" || type == "logrho") return false;
  fail_input(cat("\"solver_type\" of the scheduler is ", type,
                 ", which dpm++2m does not know; use midpoint or heun"));
}

class DpmSolverSampler final : public Sampler {
 public:
  explicit DpmSolverSampler(const ScheduleConfig& config)
      : Sampler(config, ZeroSnr::kFinite), heun_(wants_heun(config)), in_use_(timesteps_in_use()) {
    if (config.algorithm_type != "dpmsolver++" && config.algorithm_type != "deis") {
      fail_input(cat("\"algorithm_type\" of the scheduler is ", config.algorithm_type,
                     ", which is not supported; use dpmsolver++"));
    }
  }

 protected:
  void plan(std::int64_t count) override {
    timesteps_ = solver_grid(spacing_or(TimestepSpacing::kLinspace), count, in_use_, config_);
    sigmas_.clear();
    if (config_.use_karras_sigmas) {
      timesteps_.clear();
      for (const double sigma : karras_sigmas(levels_.front(), levels_.back(), count)) {
        const double timestep = timestep_of_sigma(levels_, sigma);
        const bool cosine = config_.beta_schedule == BetaSchedule::kSquaredCosine;
        timesteps_.push_back(cosine ? std::trunc(timestep) : std::nearbyint(timestep));
        sigmas_.push_back(static_cast<float>(sigma));
      }
    } else {
      for (const double timestep : timesteps_) {
        sigmas_.push_back(static_cast<float>(interpolate(levels_, timestep)));
      }
    }
    sigmas_.push_back(static_cast<float>(final_sigma(config_, levels_.front())));
  }

  void reset() override { clean_.clear(); }

  Mixture mixture(std::int64_t step) const override {
    const SignalNoise level = signal_noise(sigmas_.at(static_cast<std::size_t>(step)));
    return {level.alpha, level.sigma};
  }

  at::Tensor advance(const at::Tensor& output, std::int64_t step,
                     const at::Tensor& sample) override {
    const auto index = static_cast<std::size_t>(step);
    clean_.push_back(predicted_clean(config_.prediction_type, output, sample, level(index)));
    if (clean_.size() > static_cast<std::size_t>(config_.solver_order)) clean_.pop_front();
    switch (order_at(index)) {
      case 1:
        return first_order(index, sample);
      case 2:
        return second_order(index, sample);
      default:
        return third_order(index, sample);
    }
  }

 private:
  /// Training timesteps that `lambda_min_clipped` leaves: those with a smaller log-SNR are not
  /// visited.
  std::int64_t timesteps_in_use() const {
    const float limit = static_cast<float>(
        config_.lambda_min_clipped.value_or(-std::numeric_limits<double>::infinity()));
    std::int64_t kept = config_.num_train_timesteps;
    while (kept > 2) {
      const float alpha = alphas_[static_cast<std::size_t>(kept - 1)];
      if (std::log(std::sqrt(alpha)) - std::log(std::sqrt(1.0f - alpha)) >= limit) break;
      --kept;
    }
    return kept;
  }

  std::size_t order_at(std::size_t index) const {
    const std::size_t steps = timesteps_.size();
    const bool lower = config_.lower_order_final && steps < kFewSteps;
    if (index + 1 == steps &&
        (lower || config_.euler_at_final || config_.final_sigmas_type == "zero")) {
      return 1;
    }
    const std::size_t limit = lower && index + 2 == steps ? 2 : 3;
    return std::min(clean_.size(), limit);
  }

  SignalNoise level(std::size_t index) const { return signal_noise(sigmas_.at(index)); }
  const at::Tensor& clean(std::size_t back) const { return clean_[clean_.size() - 1 - back]; }

  /// The two terms that every order shares: the sample scaled down, and the latest prediction's
  /// share.
  at::Tensor first_order(std::size_t index, const at::Tensor& sample) const {
    const SignalNoise from = level(index);
    const SignalNoise to = level(index + 1);
    const float growth = to.alpha * (std::exp(-(to.lambda - from.lambda)) - 1.0f);
    return sample * (to.sigma / from.sigma) - clean(0) * growth;
  }

  at::Tensor second_order(std::size_t index, const at::Tensor& sample) const {
    const SignalNoise from = level(index);
    const SignalNoise to = level(index + 1);
    const float h = to.lambda - from.lambda;
    const float r = (from.lambda - level(index - 1).lambda) / h;
    const at::Tensor slope = (clean(0) - clean(1)) * (1.0f / r);
    const float decay = std::exp(-h) - 1.0f;
    const float weight = heun_ ? to.alpha * (decay / h + 1.0f) : -0.5f * (to.alpha * decay);
    return first_order(index, sample) + slope * weight;
  }

  at::Tensor third_order(std::size_t index, const at::Tensor& sample) const {
    const SignalNoise from = level(index);
    const SignalNoise to = level(index + 1);
    const SignalNoise before = level(index - 1);
    const float h = to.lambda - from.lambda;
    const float r0 = (from.lambda - before.lambda) / h;
    const float r1 = (before.lambda - level(index - 2).lambda) / h;
    const at::Tensor near = (clean(0) - clean(1)) * (1.0f / r0);
    const at::Tensor far = (clean(1) - clean(2)) * (1.0f / r1);
    const at::Tensor slope = near + (near - far) * (r0 / (r0 + r1));
    const at::Tensor bend = (near - far) * (1.0f / (r0 + r1));
    const float decay = std::exp(-h) - 1.0f;
    return first_order(index, sample) + slope * (to.alpha * (decay / h + 1.0f)) -
           bend * (to.alpha * ((decay + h) / (h * h) - 0.5f));
  }

  bool heun_;
  std::int64_t in_use_;
  std::vector<float> sigmas_;     ///< one more than timesteps
  std::deque<at::Tensor> clean_;  ///< predictions of the clean latents, latest last
};

}  // namespace

std::unique_ptr<Sampler> make_dpm_solver(const ScheduleConfig& config) {
  return std::make_unique<DpmSolverSampler>(config);
}

}  // namespace dd
