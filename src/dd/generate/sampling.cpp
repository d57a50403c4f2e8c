// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/sampling.h"

#include <algorithm>
#include <limits>

#include "dd/core/error.h"

namespace dd::generate {
namespace {

void resolve_sampler(SamplingOptions& options, const ScheduleConfig& schedule) {
  if (options.sampler == "auto") options.sampler = default_sampler_name(schedule);
  const bool known = knows_karras_sigmas(options.sampler);
  if (options.karras && !known) {
    fail_usage(cat("--karras has no meaning for the sampler ", options.sampler,
                   "; choose dpm++2m, dpm++3m, euler or unipc, or leave it out"));
  }
  options.karras = known && (options.karras || schedule.use_karras_sigmas);
}

}  // namespace

Guidance guidance_between(double scale, double low, double high) {
  return {scale, low, high > 0 ? high : std::numeric_limits<double>::infinity()};
}

std::unique_ptr<Sampler> make_sampler(SamplingOptions& options, const ScheduleConfig& schedule) {
  resolve_sampler(options, schedule);
  ScheduleConfig own = schedule;
  own.use_karras_sigmas = options.karras;
  std::unique_ptr<Sampler> sampler = dd::make_sampler(options.sampler, own);
  sampler->set_steps(options.steps);
  if (options.strength > 0) {
    // Truncated as Python's int() does it for the reference.
    const auto kept =
        static_cast<std::int64_t>(static_cast<double>(options.steps) * options.strength);
    if (kept < 1) {
      fail_usage(cat("--strength ", options.strength, " leaves none of ", options.steps,
                     " --steps to do; raise one of them"));
    }
    sampler->begin_at(options.steps - std::min(kept, options.steps));
  }
  return sampler;
}

std::vector<Evaluation> plan_evaluations(const Sampler& sampler, const SamplingOptions& options) {
  std::vector<Evaluation> plan;
  bool made_guided = false;  // whether the features at hand are of guided rows
  for (std::int64_t step = sampler.first(); step < std::ssize(sampler.timesteps()); ++step) {
    Evaluation next{.guided = options.guidance.active(sampler.noise_level(step))};
    const bool due = std::ssize(plan) % options.cache_every == 0;
    // Where guidance begins or ends, the features at hand have other rows.
    next.reuse = !due && next.guided == made_guided;
    if (!next.reuse) made_guided = next.guided;
    plan.push_back(next);
  }
  return plan;
}

}  // namespace dd::generate
