// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace dd::adapt {

/// What one step of training sees; tensors on any device, float32 but for the timesteps.
struct DiffusionBatch {
  at::Tensor latents_nchw;            ///< a draw of the posterior, times the VAE's scaling factor
  at::Tensor noise_nchw;              ///< standard normal, shaped like the latents
  at::Tensor timesteps;               ///< [B], int64
  std::vector<std::int64_t> prompts;  ///< B rows of the Conditioner's prompts

  std::int64_t rows() const { return timesteps.size(0); }
};

DiffusionBatch rows_of(const DiffusionBatch& batch, std::int64_t begin, std::int64_t end);
/// One behind the other.
DiffusionBatch joined(std::span<const DiffusionBatch> batches);

/// Rows of a batch that goes through the model in `parts` parts, and their share of all rows.
struct BatchPart {
  std::int64_t begin;
  std::int64_t end;
  double share;
};
BatchPart part_of(std::int64_t rows, std::int64_t part, std::int64_t parts);

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
