// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dd/diffusion/guidance.h"
#include "dd/diffusion/sampler.h"

namespace dd::generate {

struct SamplingOptions {
  std::string sampler = "auto";  ///< auto = the one of the model's scheduler
  bool karras = false;           ///< Karras' noise levels, or as the model's scheduler says
  std::int64_t steps = 50;
  Guidance guidance{};
  std::int64_t width = 0;  ///< pixels; 0 = what the model was trained on
  std::int64_t height = 0;
  double strength = 0;             ///< of image-to-image, at most 1; 0 = from noise alone
  std::int64_t cache_every = 1;    ///< steps for which the U-Net's deep features are taken, from 1
  std::int64_t decode_shrink = 1;  ///< how many times narrower and lower the latents are decoded
};

/// `high` as users give it, where 0 sets no bound.
Guidance guidance_between(double scale, double low, double high);

/// The sampler with its steps laid out, those before the strength left out; fills in what `options`
/// leave open of it. Error(kUsage) for steps that the model has no room for or of which the
/// strength leaves none, or for Karras' levels with a sampler that has none.
std::unique_ptr<Sampler> make_sampler(SamplingOptions& options, const ScheduleConfig& schedule);

/// What an evaluation of the U-Net is like.
struct Evaluation {
  bool guided = false;  ///< two rows for each image: without the prompt and with it
  bool reuse = false;   ///< takes the deep features of the last evaluation that made some
};

/// One entry for each evaluation, in order, from sampler.first() on.
std::vector<Evaluation> plan_evaluations(const Sampler& sampler, const SamplingOptions& options);

}  // namespace dd::generate
