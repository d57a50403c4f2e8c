// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dd/diffusion/schedule_config.h"

namespace dd {

/// A deterministic way from noise to latents. Knows no model: the caller evaluates the U-Net
/// between the steps. Follows diffusers 0.42 as its Stable Diffusion pipeline drives it.
///
///   sampler->set_steps(50);
///   x = randn * sampler->initial_scale();
///   for (i = 0; i < size of timesteps(); ++i)
///     x = sampler->step(unet(sampler->scale_input(x, i), sampler->timesteps()[i]), i, x);
///
/// Multistep methods keep earlier outputs: one object serves one batch at a time, and the first
/// step begins anew. Not thread-safe.
class Sampler {
 public:
  virtual ~Sampler() = default;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Lays out the timesteps for `count` steps and forgets what an earlier run left. Error(kUsage)
  /// when the model's time axis has no room for so many.
  void set_steps(std::int64_t count);

  /// Begins at evaluation `first` instead of 0 from then on, as diffusers' image-to-image pipeline
  /// does: earlier steps are left out, the others stay where they are. Error(kUsage) for a sampler
  /// whose start cannot be left out, or when no step would be left.
  void begin_at(std::int64_t first);
  std::int64_t first() const noexcept { return first_; }

  /// What a sample would be before evaluation `step` if `latents` were its clean end: both tensors
  /// (B, C, H, W); float32.
  at::Tensor add_noise(const at::Tensor& latents, const at::Tensor& noise, std::int64_t step) const;

  /// One entry a model evaluation, from noise to image. Whole numbers but for Euler. PNDM evaluates
  /// more often than it was asked to step.
  const std::vector<double>& timesteps() const noexcept { return timesteps_; }

  /// Deviation of the noise to start from.
  virtual double initial_scale() const { return 1.0; }

  /// What the model gets to see of `sample` (B, C, H, W) before evaluation `step`.
  virtual at::Tensor scale_input(const at::Tensor& sample, std::int64_t step) const;

  /// The sample after evaluation `step`. Both tensors are (B, C, H, W); computed and returned in
  /// float32. Steps are taken in order.
  at::Tensor step(const at::Tensor& model_output, std::int64_t step, const at::Tensor& sample);

  /// Noise level sqrt((1 − a) / a) before evaluation `step`, as guidance intervals count it.
  double noise_level(std::int64_t step) const;

 protected:
  /// What happens to a schedule whose last noise level is infinite (zero terminal SNR).
  enum class ZeroSnr {
    kIgnored,  ///< the sampler does not know `rescale_betas_zero_snr`
    kExact,
    kFinite,  ///< the last product becomes 2^-24, so that the last noise level is finite
  };
  Sampler(const ScheduleConfig& config, ZeroSnr zero_snr);

  TimestepSpacing spacing_or(TimestepSpacing own_default) const {
    return config_.timestep_spacing.value_or(own_default);
  }

  /// Fills timesteps_ (and what else depends on the number of steps).
  virtual void plan(std::int64_t count) = 0;
  /// Forgets earlier outputs.
  virtual void reset() {}
  virtual bool can_begin_later() const { return true; }
  /// Weights of clean latents and noise in a sample before evaluation `step`.
  struct Mixture {
    float signal;
    float noise;
  };
  virtual Mixture mixture(std::int64_t step) const;
  virtual at::Tensor advance(const at::Tensor& model_output, std::int64_t step,
                             const at::Tensor& sample) = 0;

  const ScheduleConfig config_;
  std::vector<float> alphas_;  ///< cumulative products, one a training timestep
  std::vector<float> levels_;  ///< noise levels of the same
  std::vector<double> timesteps_;

 private:
  std::int64_t first_ = 0;
};

/// Makes the sampler `name`, one of sampler_names(). As the pipeline does, sets steps_offset to 1
/// and clip_sample to false whatever `config` says; a name that carries an order (dpm++2m) sets
/// solver_order; fields that `config` leaves open become the sampler's own defaults. Error(kUsage)
/// for an unknown name, Error(kInput) for a config that the sampler cannot follow.
std::unique_ptr<Sampler> make_sampler(const std::string& name, const ScheduleConfig& config);

/// All names, in the order of the help text.
const std::vector<std::string>& sampler_names();

/// What an option may name: "auto", for the sampler of the model's scheduler, and sampler_names().
std::vector<std::string> sampler_choices();

/// Whether the sampler can follow `use_karras_sigmas` (arXiv 2206.00364, equation 5). The others
/// pass it over, as diffusers does.
bool knows_karras_sigmas(const std::string& name);

/// The sampler that a scheduler_config.json names by its `_class_name` and, for DPM-Solver++, its
/// `solver_order`. Error(kInput) for a class that has no counterpart.
std::string default_sampler_name(const ScheduleConfig& config);

}  // namespace dd
