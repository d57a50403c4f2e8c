// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "dd/adapt/batch_source.h"
#include "dd/adapt/conditioner.h"
#include "dd/core/ranks.h"
#include "dd/diffusion/noise_schedule.h"
#include "dd/models/stable_diffusion.h"
#include "dd/train/engine.h"

namespace dd::adapt {

/// The diffusion loss: mean squared error between the U-Net's output at a random timestep and what
/// the noise schedule says it should be (the noise, or v), without prior preservation. Computed in
/// float32 from the model's precision.
class AdaptTask final : public train::Task {
 public:
  /// The first three must outlive the task. The source is asked for its validation batches right
  /// away. A step's batch goes through the model in `parts` parts, at most one a row; several ranks
  /// share the validation batches.
  AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
            BatchSource& batches, std::int64_t parts = 1, Ranks& ranks = lone_rank());

  at::Tensor loss(std::int64_t step) override;
  std::int64_t parts() const override { return parts_; }
  at::Tensor part_of_loss(std::int64_t step, std::int64_t part) override;
  std::optional<double> validation_loss() override;

 private:
  at::Tensor loss_of(const DiffusionBatch& batch) const;

  const models::StableDiffusion& model_;
  const Conditioner& conditioner_;
  BatchSource& batches_;
  std::int64_t parts_;
  Ranks& ranks_;
  DiffusionBatch whole_;          ///< of the step whose parts are being computed …
  std::int64_t whole_step_ = -1;  ///< … which is this one
  NoiseSchedule schedule_;
  std::vector<DiffusionBatch> validation_;
};

}  // namespace dd::adapt
