// SPDX-License-Identifier: Apache-2.0
// Inside of the folder only: time axes shared by several samplers. Numbers come out as NumPy's
// float64 functions give them to diffusers, halves rounded to even included.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "dd/diffusion/schedule_config.h"

namespace dd {

/// `count` values from `start` to `stop`, both included; one value is `start`.
std::vector<double> linear_space(double start, double stop, std::int64_t count);

/// Descending timesteps of the samplers that visit both ends (DDIM, PNDM, Euler). Linspace is not
/// rounded.
std::vector<double> full_grid(TimestepSpacing spacing, std::int64_t steps,
                              const ScheduleConfig& config);

/// Descending whole timesteps of the multistep solvers, which leave out the clean end. `last` is
/// the number of training timesteps in use.
std::vector<double> solver_grid(TimestepSpacing spacing, std::int64_t steps, std::int64_t last,
                                const ScheduleConfig& config);

/// Noise levels sqrt((1 − a) / a), one a training timestep.
std::vector<float> sigma_table(const std::vector<float>& alphas);

/// The table between its whole timesteps, linearly; clamped at the ends.
double interpolate(const std::vector<float>& table, double timestep);

/// Noise levels spaced as in equation 5 of arXiv 2206.00364 with rho 7, descending.
std::vector<double> karras_sigmas(double sigma_min, double sigma_max, std::int64_t steps);

/// The timestep at which the (ascending) table of noise levels has `sigma`, on a logarithmic scale.
double timestep_of_sigma(const std::vector<float>& table, double sigma);

/// The last noise level of a run by `final_sigmas_type`.
double final_sigma(const ScheduleConfig& config, double smallest);

/// Signal and noise of a variance-preserving sample whose noise level is `sigma`, in float32.
struct SignalNoise {
  float alpha;
  float sigma;
  float lambda;  ///< log(alpha) − log(sigma); infinite without noise
};
SignalNoise signal_noise(float sigma);

/// The clean latents that `output` stands for, at one noise level of a variance-preserving sample.
at::Tensor predicted_clean(PredictionType type, const at::Tensor& output, const at::Tensor& sample,
                           const SignalNoise& level);

}  // namespace dd
