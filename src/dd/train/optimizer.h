// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/core/fields.h"
#include "dd/train/flat_parameters.h"

namespace dd::train {

/// AdamW with a warm-up and a cosine, as in the paper.
struct OptimizerOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;
  std::int64_t warmup = 100;
  std::string schedule =
      "cosine";           ///< after the warm-up: cosine to `final_rate`, constant, or trapezoid
  double final_rate = 0;  ///< learning rate at the end of the cosine
  double clip = 1.0;      ///< gradient norm; 0 = no clipping

  /// Lists the fields for a command that trains.
  void visit(FieldVisitor& visitor);
};

/// The rate of step `step` (from 0) of `total`: linear from 0 over the warm-up, then half a cosine
/// down to `final_rate` (diffusers' get_cosine_schedule_with_warmup). A warm-up of more than a
/// third of the steps is shortened to that, so that short runs learn too.
double learning_rate(const OptimizerOptions& options, std::int64_t step, std::int64_t total);

/// Decoupled weight decay (Loshchilov, Hutter 2019), in one fused call over the flat buffers.
class AdamW {
 public:
  AdamW(const FlatParameters& parameters, const OptimizerOptions& options);

  void step(double rate);

  const at::Tensor& first_moment() const { return first_moment_; }
  const at::Tensor& second_moment() const { return second_moment_; }
  std::int64_t steps_taken() const { return steps_; }
  void restore(const at::Tensor& first, const at::Tensor& second, std::int64_t steps);

 private:
  OptimizerOptions options_;
  at::Tensor data_;
  at::Tensor gradient_;
  at::Tensor first_moment_;
  at::Tensor second_moment_;
  std::int64_t steps_ = 0;
};

}  // namespace dd::train
