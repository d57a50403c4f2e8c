// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace dd::adapt {

/// What one step of training sees; tensors on any device, float32 but for the timesteps.
struct DiffusionBatch {
  at::Tensor latents_nchw;            ///< a draw of the posterior, times the VAE's scaling factor
  at::Tensor noise_nchw;              ///< standard normal, shaped like the latents
  at::Tensor timesteps;               ///< [B], int64
  std::vector<std::int64_t> prompts;  ///< B rows of the Conditioner's prompts
};

/// Where batches come from: the shots, or a record.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// Depends on the step's number alone, so that a stopped run goes on as if it had not been.
  virtual DiffusionBatch batch(std::int64_t step) = 0;
  /// Fixed batches for a loss that means the same at every step; none to leave that out.
  virtual std::vector<DiffusionBatch> validation() = 0;
};

}  // namespace dd::adapt
