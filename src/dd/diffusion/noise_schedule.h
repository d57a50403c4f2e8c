// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "dd/diffusion/schedule_config.h"

namespace dd {

/// The forward process q(x_t | x_0) = N(sqrt(a_t)·x_0, 1 − a_t) on a discrete time axis, with the
/// numbers of diffusers' DDPMScheduler. Immutable; safe to share between threads.
class NoiseSchedule {
 public:
  /// The tables are kept on `device`: give the one that the latents are on to spare a copy a call.
  explicit NoiseSchedule(const ScheduleConfig& config, at::Device device = at::kCPU);

  std::int64_t num_timesteps() const noexcept { return num_timesteps_; }
  PredictionType prediction_type() const noexcept { return prediction_type_; }

  /// Product of (1 − beta) up to each timestep: float32 (T), on the schedule's device.
  const at::Tensor& alphas_cumprod() const noexcept { return alphas_cumprod_; }

  /// Noisy latents x_t. `latents` and `noise` have one shape (B, …) and dtype, which the result has
  /// too; `timesteps` is int64 (B) in 0 … T − 1, not checked. Differentiable in latents and noise.
  at::Tensor add_noise(const at::Tensor& latents, const at::Tensor& noise,
                       const at::Tensor& timesteps) const;

  /// v = sqrt(a)·noise − sqrt(1 − a)·latents, same shapes (arXiv 2202.00512).
  at::Tensor velocity(const at::Tensor& latents, const at::Tensor& noise,
                      const at::Tensor& timesteps) const;

  /// What the U-Net should say at x_t, by the prediction type.
  at::Tensor target(const at::Tensor& latents, const at::Tensor& noise,
                    const at::Tensor& timesteps) const;

 private:
  at::Tensor coefficient(const at::Tensor& table, const at::Tensor& like,
                         const at::Tensor& timesteps) const;

  std::int64_t num_timesteps_;
  PredictionType prediction_type_;
  at::Tensor alphas_cumprod_;
  at::Tensor signal_;  ///< sqrt(a)
  at::Tensor noise_;   ///< sqrt(1 − a)
};

/// The product table alone, float32 (T) on the CPU, in diffusers' order of operations.
/// `rescale` applies `rescale_betas_zero_snr` (Algorithm 1 of arXiv 2305.08891), so the last value
/// is 0.
at::Tensor make_alphas_cumprod(const ScheduleConfig& config, bool rescale);

}  // namespace dd
