// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "dd/adapt/batch_source.h"
#include "dd/adapt/conditioner.h"
#include "dd/diffusion/noise_schedule.h"
#include "dd/models/stable_diffusion.h"

namespace dd::adapt {

/// How a step goes through the model: more time for less memory, one result (but for rounding where
/// there are several parts).
struct StepOptions {
  std::int64_t parts = 1;  ///< that a step's batch is computed in, at most one a row
  bool recompute = false;  ///< keep little of the forward pass (nn/recompute.h)
};

/// The diffusion loss: mean squared error between the U-Net's output at a random timestep and what
/// the noise schedule says it should be (the noise, or v), without prior preservation. Computed in
/// float32 from the model's precision.
class DiffusionLoss {
 public:
  /// Both must outlive this.
  DiffusionLoss(const models::StableDiffusion& model, const Conditioner& conditioner,
                bool recompute);

  /// The mean over a batch, a scalar.
  at::Tensor mean(const DiffusionBatch& batch) const;
  /// The means over `members` equal stretches of the rows, [members].
  at::Tensor means(const DiffusionBatch& batch, std::int64_t members) const;

 private:
  /// Prediction and target, [B, C, H, W] in float32.
  std::pair<at::Tensor, at::Tensor> predict(const DiffusionBatch& batch) const;

  const models::StableDiffusion& model_;
  const Conditioner& conditioner_;
  bool recompute_;
  NoiseSchedule schedule_;
};

}  // namespace dd::adapt
