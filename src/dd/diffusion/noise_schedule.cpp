// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/noise_schedule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linspace.h>

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"

namespace dd {
namespace {

constexpr double kPi = 3.14159265358979323846;

at::Tensor to_tensor(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return at::from_blob(values.data(), {count}, at::kFloat).clone();
}

/// "squaredcos_cap_v2" (arXiv 2102.09672): a_t = cos²((t + 0.008) / 1.008 · π/2), betas capped at
/// 0.999.
at::Tensor squared_cosine_betas(std::int64_t count) {
  const auto alpha_bar = [](double t) {
    const double cosine = std::cos((t + 0.008) / 1.008 * kPi / 2);
    return cosine * cosine;
  };
  const auto total = static_cast<double>(count);
  std::vector<float> betas;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<double>(i);
    const double ratio = alpha_bar((index + 1) / total) / alpha_bar(index / total);
    betas.push_back(static_cast<float>(std::min(1 - ratio, 0.999)));
  }
  return to_tensor(std::move(betas));
}

at::Tensor make_betas(const ScheduleConfig& config) {
  if (!config.trained_betas.empty()) return to_tensor(config.trained_betas);
  const std::int64_t count = config.num_train_timesteps;
  switch (config.beta_schedule) {
    case BetaSchedule::kLinear:
      return at::linspace(config.beta_start, config.beta_end, count, at::kFloat);
    case BetaSchedule::kScaledLinear:
      return at::linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), count,
                          at::kFloat)
          .square();
    case BetaSchedule::kSquaredCosine:
      return squared_cosine_betas(count);
  }
  fail_internal("unknown beta schedule");
}

/// Shifts and scales sqrt(a) so that its first value stays and its last becomes 0.
at::Tensor rescale_to_zero_snr(const at::Tensor& betas) {
  at::Tensor root = (1.0 - betas).cumprod(0).sqrt();
  const at::Tensor first = root[0].clone();
  const at::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor product = root.square();
  const at::Tensor ratios = product.slice(0, 1) / product.slice(0, 0, -1);
  return 1 - at::cat({product.slice(0, 0, 1), ratios});
}

}  // namespace

at::Tensor make_alphas_cumprod(const ScheduleConfig& config, bool rescale) {
  at::Tensor betas = make_betas(config);
  if (rescale) betas = rescale_to_zero_snr(betas);
  return (1.0 - betas).cumprod(0);
}

NoiseSchedule::NoiseSchedule(const ScheduleConfig& config, at::Device device)
    : num_timesteps_(config.num_train_timesteps), prediction_type_(config.prediction_type) {
  const at::Tensor product = make_alphas_cumprod(config, config.rescale_betas_zero_snr);
  alphas_cumprod_ = product.to(device);
  signal_ = product.sqrt().to(device);
  noise_ = (1 - product).sqrt().to(device);
}

at::Tensor NoiseSchedule::coefficient(const at::Tensor& table, const at::Tensor& like,
                                      const at::Tensor& timesteps) const {
  // The root is taken in float32 and rounded once; 1 − a itself is lost in bfloat16 near t = 0.
  const at::Tensor values = table.to(like.device()).index_select(0, timesteps.to(like.device()));
  std::vector<std::int64_t> shape(static_cast<std::size_t>(like.dim()), 1);
  shape.at(0) = values.size(0);
  return values.to(like.scalar_type()).view(shape);
}

at::Tensor NoiseSchedule::add_noise(const at::Tensor& latents, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
  return coefficient(signal_, latents, timesteps) * latents +
         coefficient(noise_, latents, timesteps) * noise;
}

at::Tensor NoiseSchedule::velocity(const at::Tensor& latents, const at::Tensor& noise,
                                   const at::Tensor& timesteps) const {
  return coefficient(signal_, latents, timesteps) * noise -
         coefficient(noise_, latents, timesteps) * latents;
}

at::Tensor NoiseSchedule::target(const at::Tensor& latents, const at::Tensor& noise,
                                 const at::Tensor& timesteps) const {
  switch (prediction_type_) {
    case PredictionType::kEpsilon:
      return noise;
    case PredictionType::kVelocity:
      return velocity(latents, noise, timesteps);
    case PredictionType::kSample:
      return latents;
  }
  fail_internal("unknown prediction type");
}

}  // namespace dd
