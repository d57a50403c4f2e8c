// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "dd/adapt/batch_source.h"
#include "dd/adapt/conditioner.h"
#include "dd/diffusion/noise_schedule.h"
#include "dd/models/stable_diffusion.h"
#include "dd/train/engine.h"

namespace dd::adapt {

/// The diffusion loss: mean squared error between the U-Net's output at a random timestep and what
/// the noise schedule says it should be (the noise, or v), without prior preservation. Computed in
/// float32 from the model's precision.
class AdaptTask final : public train::Task {
 public:
  /// All three must outlive the task. The source is asked for its validation batches right away.
  AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
            BatchSource& batches);

  at::Tensor loss(std::int64_t step) override;
  std::optional<double> validation_loss() override;

 private:
  at::Tensor loss_of(const DiffusionBatch& batch) const;

  const models::StableDiffusion& model_;
  const Conditioner& conditioner_;
  BatchSource& batches_;
  NoiseSchedule schedule_;
  std::vector<DiffusionBatch> validation_;
};

}  // namespace dd::adapt
