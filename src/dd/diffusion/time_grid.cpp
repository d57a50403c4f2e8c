// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/time_grid.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"

namespace dd {
namespace {

/// Whole timesteps from the noisy end down, never below 0. The number of values and the stride are
/// those of numpy.arange(last, 0, -step); where rounding gives it one value too many, diffusers'
/// list ends in −1 and ours does not.
std::vector<double> trailing_grid(std::int64_t last, std::int64_t steps,
                                  const ScheduleConfig& config) {
  const double step = static_cast<double>(config.num_train_timesteps) / static_cast<double>(steps);
  const auto start = static_cast<double>(last);
  const double stride = (start - step) - start;
  const auto count = static_cast<std::int64_t>(std::ceil(start / step));
  std::vector<double> grid;
  for (std::int64_t i = 0; i < count; ++i) {
    const double timestep = std::nearbyint(start + static_cast<double>(i) * stride) - 1;
    if (timestep >= 0) grid.push_back(timestep);
  }
  return grid;
}

}  // namespace

std::vector<double> linear_space(double start, double stop, std::int64_t count) {
  const double step = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0.0;
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i) * step + start);
  if (count > 1) values.back() = stop;
  return values;
}

std::vector<double> full_grid(TimestepSpacing spacing, std::int64_t steps,
                              const ScheduleConfig& config) {
  const std::int64_t total = config.num_train_timesteps;
  std::vector<double> grid;
  switch (spacing) {
    case TimestepSpacing::kTrailing:
      return trailing_grid(total, steps, config);
    case TimestepSpacing::kLinspace:
      grid = linear_space(0, static_cast<double>(total - 1), steps);
      break;
    case TimestepSpacing::kLeading:
      for (std::int64_t i = 0; i < steps; ++i) {
        grid.push_back(static_cast<double>(i * (total / steps) + config.steps_offset));
      }
      break;
  }
  std::reverse(grid.begin(), grid.end());
  return grid;
}

std::vector<double> solver_grid(TimestepSpacing spacing, std::int64_t steps, std::int64_t last,
                                const ScheduleConfig& config) {
  std::vector<double> grid;
  switch (spacing) {
    case TimestepSpacing::kTrailing:
      return trailing_grid(last, steps, config);
    case TimestepSpacing::kLinspace:
      grid = linear_space(0, static_cast<double>(last - 1), steps + 1);
      for (double& value : grid) value = std::nearbyint(value);
      break;
    case TimestepSpacing::kLeading:
      for (std::int64_t i = 0; i <= steps; ++i) {
        grid.push_back(static_cast<double>(i * (last / (steps + 1)) + config.steps_offset));
      }
      break;
  }
  std::reverse(grid.begin(), grid.end());
  grid.pop_back();
  return grid;
}

std::vector<float> sigma_table(const std::vector<float>& alphas) {
  std::vector<float> sigmas;
  sigmas.reserve(alphas.size());
  for (const float alpha : alphas) sigmas.push_back(std::sqrt((1.0f - alpha) / alpha));
  return sigmas;
}

double interpolate(const std::vector<float>& table, double timestep) {
  if (timestep <= 0) return table.front();
  if (timestep >= static_cast<double>(table.size() - 1)) return table.back();
  const double floor = std::floor(timestep);
  const auto index = static_cast<std::size_t>(floor);
  const double low = table[index];
  return (static_cast<double>(table[index + 1]) - low) * (timestep - floor) + low;
}

std::vector<double> karras_sigmas(double sigma_min, double sigma_max, std::int64_t steps) {
  constexpr double kRho = 7.0;
  const double low = std::pow(sigma_min, 1 / kRho);
  const double high = std::pow(sigma_max, 1 / kRho);
  std::vector<double> sigmas = linear_space(0, 1, steps);
  for (double& value : sigmas) value = std::pow(high + value * (low - high), kRho);
  return sigmas;
}

double timestep_of_sigma(const std::vector<float>& table, double sigma) {
  const double target = std::log(std::max(sigma, 1e-10));
  std::size_t index = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (target >= static_cast<double>(std::log(table[i]))) index = i;
  }
  index = std::min(index, table.size() - 2);
  const float low = std::log(table[index]);
  const float high = std::log(table[index + 1]);
  const double weight = std::clamp((low - target) / static_cast<double>(low - high), 0.0, 1.0);
  const auto at = static_cast<double>(index);
  return (1 - weight) * at + weight * (at + 1);
}

double final_sigma(const ScheduleConfig& config, double smallest) {
  return config.final_sigmas_type == "zero" ? 0.0 : smallest;
}

SignalNoise signal_noise(float sigma) {
  const float alpha = 1.0f / std::sqrt(sigma * sigma + 1.0f);
  const float noise = sigma * alpha;
  return {alpha, noise, std::log(alpha) - std::log(noise)};
}

at::Tensor predicted_clean(PredictionType type, const at::Tensor& output, const at::Tensor& sample,
                           const SignalNoise& level) {
  switch (type) {
    case PredictionType::kEpsilon:
      return (sample - output * level.sigma) / level.alpha;
    case PredictionType::kVelocity:
      return sample * level.alpha - output * level.sigma;
    case PredictionType::kSample:
      return output;
  }
  fail_internal("unknown prediction type");
}

}  // namespace dd
