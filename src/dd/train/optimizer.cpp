// SPDX-License-Identifier: Apache-2.0
#include "dd/train/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dd::train {

void OptimizerOptions::visit(FieldVisitor& visitor) {
  visitor.field("lr", learning_rate, {.help = "peak learning rate of AdamW", .low = 0, .high = 1});
  visitor.field(
      "warmup", warmup,
      {.help = "steps until the peak rate (at most a third of all steps)", .low = 0, .high = 1e9});
  visitor.field("lr-schedule", schedule,
                {.help = "course of the rate after the warm-up",
                 .choices = {"cosine", "constant", "trapezoid"}});
  visitor.field("lr-final", final_rate,
                {.help = "rate at the end of the cosine", .low = 0, .high = 1});
  visitor.field("weight-decay", weight_decay,
                {.help = "decoupled weight decay of AdamW", .low = 0, .high = 1});
  // With a decay of 1 nothing would ever come in.
  constexpr double kMostDecay = 0.999999;
  visitor.field("beta1", beta1,
                {.help = "decay of AdamW's first moment", .low = 0, .high = kMostDecay});
  visitor.field("beta2", beta2,
                {.help = "decay of AdamW's second moment", .low = 0, .high = kMostDecay});
  visitor.field("clip-norm", clip,
                {.help = "largest norm of the gradient; 0 = no limit", .low = 0, .high = 1e9});
}

double learning_rate(const OptimizerOptions& options, std::int64_t step, std::int64_t total) {
  const std::int64_t warmup = std::min(options.warmup, total / 3);
  if (step < warmup)
    return options.learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  if (options.schedule == "constant") return options.learning_rate;
  // The trapezoid stays at the peak for four fifths of the run, so that its length can still be
  // changed.
  const std::int64_t start =
      options.schedule == "trapezoid" ? std::max(warmup, total - total / 5) : warmup;
  if (step < start) return options.learning_rate;
  const double progress = static_cast<double>(step - start) /
                          static_cast<double>(std::max<std::int64_t>(1, total - start));
  const double share = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, progress)));
  return options.final_rate + (options.learning_rate - options.final_rate) * share;
}

AdamW::AdamW(const FlatParameters& parameters, const OptimizerOptions& options)
    : options_(options),
      data_(parameters.data()),
      gradient_(parameters.gradient()),
      first_moment_(at::zeros_like(data_)),
      second_moment_(at::zeros_like(data_)) {}

void AdamW::step(double rate) {
  const at::NoGradGuard no_grad;
  ++steps_;
  const at::Tensor count = at::full({}, static_cast<double>(steps_), data_.options());
  at::_fused_adamw_({data_}, {gradient_}, {first_moment_}, {second_moment_}, {}, {count}, rate,
                    options_.beta1, options_.beta2, options_.weight_decay, options_.eps, false,
                    false);
}

void AdamW::restore(const at::Tensor& first, const at::Tensor& second, std::int64_t steps) {
  first_moment_.copy_(first);
  second_moment_.copy_(second);
  steps_ = steps;
}

}  // namespace dd::train
