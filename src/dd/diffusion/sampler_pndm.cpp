// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "dd/core/error.h"
#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

/// Linear multistep over the last four outputs. The start is either Runge-Kutta (four evaluations a
/// step for three steps) or, with `skip_prk_steps`, one step done over again with the mean of two
/// outputs.
class PndmSampler final : public Sampler {
 public:
  explicit PndmSampler(const ScheduleConfig& config)
      : Sampler(config, ZeroSnr::kIgnored),
        final_alpha_(config.set_alpha_to_one.value_or(false) ? 1.0f : alphas_.front()) {
    if (config.prediction_type == PredictionType::kSample) {
      fail_input("pndm cannot follow a model that predicts the sample; choose another sampler");
    }
  }

 protected:
  void plan(std::int64_t count) override {
    std::vector<double> grid = full_grid(spacing_or(TimestepSpacing::kLeading), count, config_);
    for (double& timestep : grid) timestep = std::nearbyint(timestep);
    stride_ = config_.num_train_timesteps / count;
    runge_kutta_.clear();
    if (config_.skip_prk_steps) {
      if (grid.size() >= 2) grid.insert(grid.begin() + 1, grid[1]);
      timesteps_ = std::move(grid);
      return;
    }
    if (grid.size() < 4) {
      fail_usage(cat("pndm with a Runge-Kutta start needs 4 steps or more, not ", count,
                     "; choose more steps or another sampler"));
    }
    plan_runge_kutta(grid);
  }

  void reset() override {
    outputs_.clear();
    start_ = at::Tensor();
    slope_ = at::Tensor();
  }

  bool can_begin_later() const override { return runge_kutta_.empty(); }

  at::Tensor advance(const at::Tensor& output, std::int64_t step,
                     const at::Tensor& sample) override {
    if (step < static_cast<std::int64_t>(runge_kutta_.size()))
      return advance_start(output, step, sample);
    return advance_multistep(output, step, sample);
  }

 private:
  /// Each of the first three steps visits its start, twice its middle and its end, so that every
  /// middle and every inner end appears twice.
  void plan_runge_kutta(const std::vector<double>& grid) {
    const auto half = static_cast<double>(stride_ / 2);
    std::vector<double> list;
    for (std::size_t i = 0; i < 4; ++i) {
      for (const double timestep : {grid[i] + half, grid[i]}) list.insert(list.end(), 2, timestep);
    }
    // The middle before the first step does not exist, and the outer ends are visited once.
    list.erase(list.begin(), list.begin() + 3);
    list.pop_back();
    runge_kutta_ = list;
    timesteps_ = std::move(list);
    timesteps_.insert(timesteps_.end(), grid.begin() + 3, grid.end());
  }

  at::Tensor advance_start(const at::Tensor& output, std::int64_t step, const at::Tensor& sample) {
    const auto index = static_cast<std::size_t>(step);
    const std::int64_t to =
        static_cast<std::int64_t>(timesteps_[index]) - (step % 2 != 0 ? 0 : stride_ / 2);
    const auto from = static_cast<std::int64_t>(runge_kutta_[index / 4 * 4]);
    at::Tensor used = output;
    switch (step % 4) {
      case 0:
        slope_ = output * (1.0 / 6.0);
        remember(output);
        start_ = sample;
        break;
      case 1:
      case 2:
        slope_ = slope_ + output * (1.0 / 3.0);
        break;
      default:
        used = slope_ + output * (1.0 / 6.0);
    }
    return transfer(start_, from, to, used);
  }

  at::Tensor advance_multistep(const at::Tensor& output, std::int64_t step,
                               const at::Tensor& sample) {
    auto from = static_cast<std::int64_t>(timesteps_[static_cast<std::size_t>(step)]);
    if (step == first() + 1) {
      // The first step once more from its own start, now with the mean of the slopes at both ends.
      const at::Tensor mean = (output + outputs_.back()) / 2;
      return transfer(start_, from + stride_, from, mean);
    }
    remember(output);
    if (step == first()) start_ = sample;
    return transfer(sample, from, from - stride_, extrapolated());
  }

  void remember(const at::Tensor& output) {
    outputs_.push_back(output);
    if (outputs_.size() > 4) outputs_.pop_front();
  }

  /// Adams-Bashforth coefficients of the order that the history allows.
  at::Tensor extrapolated() const {
    const auto e = [this](std::size_t back) { return outputs_[outputs_.size() - back]; };
    switch (outputs_.size()) {
      case 1:
        return e(1);
      case 2:
        return (e(1) * 3 - e(2)) / 2;
      case 3:
        return (e(1) * 23 - e(2) * 16 + e(3) * 5) / 12;
      default:
        return (e(1) * 55 - e(2) * 59 + e(3) * 37 - e(4) * 9) * (1.0 / 24.0);
    }
  }

  float alpha_at(std::int64_t timestep) const {
    if (timestep < 0) return final_alpha_;
    return alphas_.at(
        static_cast<std::size_t>(std::min(timestep, config_.num_train_timesteps - 1)));
  }

  /// Equation 9 of the paper.
  at::Tensor transfer(const at::Tensor& sample, std::int64_t from, std::int64_t to,
                      const at::Tensor& output) const {
    const float alpha = alpha_at(from);
    const float alpha_to = alpha_at(to);
    const float beta = 1.0f - alpha;
    const float beta_to = 1.0f - alpha_to;
    at::Tensor epsilon = output;
    if (config_.prediction_type == PredictionType::kVelocity) {
      epsilon = output * std::sqrt(alpha) + sample * std::sqrt(beta);
    }
    const float divisor = alpha * std::sqrt(beta_to) + std::sqrt(alpha * beta * alpha_to);
    return sample * std::sqrt(alpha_to / alpha) - epsilon * (alpha_to - alpha) / divisor;
  }

  float final_alpha_;
  std::int64_t stride_ = 1;
  std::vector<double>
      runge_kutta_;  ///< timesteps of the Runge-Kutta start; empty when it is skipped
  std::deque<at::Tensor> outputs_;  ///< up to four, latest last
  at::Tensor start_;                ///< sample at the start of the step that is done in parts
  at::Tensor slope_;                ///< Runge-Kutta sum so far
};

}  // namespace

std::unique_ptr<Sampler> make_pndm(const ScheduleConfig& config) {
  return std::make_unique<PndmSampler>(config);
}

}  // namespace dd
