// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/sampler.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/fields.h"
#include "dd/diffusion/noise_schedule.h"
#include "dd/diffusion/samplers.h"
#include "dd/diffusion/time_grid.h"

namespace dd {
namespace {

using Maker = std::unique_ptr<Sampler> (*)(const ScheduleConfig&);

struct Entry {
  const char* name;
  const char* scheduler_class;
  Maker make;
  std::int64_t order = 0;  ///< that the name stands for; 0 = as the configuration says
  bool karras = false;     ///< follows use_karras_sigmas
};

constexpr Entry kSamplers[] = {
    {"ddim", "DDIMScheduler", &make_ddim},
    {"pndm", "PNDMScheduler", &make_pndm},
    {"dpm++1m", "DPMSolverMultistepScheduler", &make_dpm_solver, 1, true},
    {"dpm++2m", "DPMSolverMultistepScheduler", &make_dpm_solver, 2, true},
    {"dpm++3m", "DPMSolverMultistepScheduler", &make_dpm_solver, 3, true},
    {"euler", "EulerDiscreteScheduler", &make_euler, 0, true},
    {"unipc", "UniPCMultistepScheduler", &make_unipc, 0, true},
};

std::string joined_names() {
  std::string text;
  for (const Entry& entry : kSamplers) text += (text.empty() ? "" : ", ") + std::string(entry.name);
  return text;
}

}  // namespace

Sampler::Sampler(const ScheduleConfig& config, ZeroSnr zero_snr) : config_(config) {
  const bool rescale = config.rescale_betas_zero_snr && zero_snr != ZeroSnr::kIgnored;
  const at::Tensor product = make_alphas_cumprod(config, rescale).contiguous();
  const float* values = product.const_data_ptr<float>();
  alphas_.assign(values, values + product.numel());
  if (rescale && zero_snr == ZeroSnr::kFinite) alphas_.back() = 0x1p-24f;
  levels_ = sigma_table(alphas_);
}

void Sampler::set_steps(std::int64_t count) {
  const std::int64_t total = config_.num_train_timesteps;
  if (count < 1 || count > total) {
    fail_usage(cat("cannot sample in ", count, " steps; choose 1 … ", total,
                   ", the number that the model was trained with"));
  }
  plan(count);
  first_ = 0;
  reset();
  const auto last = static_cast<double>(total - 1);
  const auto [low, high] = std::minmax_element(timesteps_.begin(), timesteps_.end());
  if (timesteps_.empty() || *low < 0 || *high > last) {
    fail_usage(cat("cannot sample in ", count, " steps: the timesteps leave 0 … ", last,
                   "; choose fewer steps"));
  }
}

void Sampler::begin_at(std::int64_t first) {
  if (first < 0 || first >= std::ssize(timesteps_)) {
    fail_usage(cat("cannot begin at step ", first, " of ", timesteps_.size(),
                   ": nothing is left to do; choose more steps or a higher strength"));
  }
  if (first > 0 && !can_begin_later()) {
    fail_usage("pndm with a Runge-Kutta start cannot begin from an image; choose another sampler");
  }
  first_ = first;
  reset();
}

Sampler::Mixture Sampler::mixture(std::int64_t step) const {
  const double timestep = timesteps_.at(static_cast<std::size_t>(step));
  const float alpha = alphas_.at(static_cast<std::size_t>(timestep));
  return {std::sqrt(alpha), std::sqrt(1.0f - alpha)};
}

at::Tensor Sampler::add_noise(const at::Tensor& latents, const at::Tensor& noise,
                              std::int64_t step) const {
  ensure(latents.sizes() == noise.sizes(), "latents and noise differ in shape");
  const Mixture weights = mixture(step);
  return latents.to(at::kFloat) * weights.signal + noise.to(at::kFloat) * weights.noise;
}

at::Tensor Sampler::scale_input(const at::Tensor& sample, std::int64_t) const {
  return sample;
}

at::Tensor Sampler::step(const at::Tensor& model_output, std::int64_t step,
                         const at::Tensor& sample) {
  ensure(step >= 0 && step < static_cast<std::int64_t>(timesteps_.size()),
         "sampler step out of range");
  ensure(model_output.sizes() == sample.sizes(), "model output and sample differ in shape");
  if (step == first_) reset();
  return advance(model_output.to(at::kFloat), step, sample.to(at::kFloat));
}

double Sampler::noise_level(std::int64_t step) const {
  return interpolate(levels_, timesteps_.at(static_cast<std::size_t>(step)));
}

std::unique_ptr<Sampler> make_sampler(const std::string& name, const ScheduleConfig& config) {
  ScheduleConfig forced = config;
  forced.steps_offset = 1;
  forced.clip_sample = false;
  for (const Entry& entry : kSamplers) {
    if (name != entry.name) continue;
    if (entry.order > 0) forced.solver_order = entry.order;
    return entry.make(forced);
  }
  const std::string nearest = nearest_name(name, sampler_names());
  fail_usage(cat("unknown sampler \"", name, "\"", nearest.empty() ? "" : " (did you mean ",
                 nearest, nearest.empty() ? "" : "?)", "; choose one of ", joined_names()));
}

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Entry& entry : kSamplers) list.emplace_back(entry.name);
    return list;
  }();
  return names;
}

std::vector<std::string> sampler_choices() {
  std::vector<std::string> choices{"auto"};
  choices.insert(choices.end(), sampler_names().begin(), sampler_names().end());
  return choices;
}

bool knows_karras_sigmas(const std::string& name) {
  return std::ranges::any_of(
      kSamplers, [&](const Entry& entry) { return name == entry.name && entry.karras; });
}

std::string default_sampler_name(const ScheduleConfig& config) {
  for (const Entry& entry : kSamplers) {
    const bool order_fits = entry.order == 0 || entry.order == config.solver_order;
    if (config.class_name == entry.scheduler_class && order_fits) return entry.name;
  }
  fail_input(cat("the model's scheduler is a ", config.class_name,
                 ", which has no counterpart here; choose a sampler: ", joined_names()));
}

}  // namespace dd
