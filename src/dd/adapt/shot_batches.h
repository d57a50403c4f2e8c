// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/adapt/batch_source.h"
#include "dd/adapt/shot_latents.h"
#include "dd/train/batches.h"

namespace dd::adapt {

struct ShotBatchesOptions {
  std::int64_t batch = 8;
  bool random_crop = true;
  bool flip = false;
  std::int64_t timesteps = 1000;
  std::uint64_t seed = 0;  ///< of the run and the class: two classes must not share it
};

/// Cases of the validation loss over so many shots: 32 to 64.
std::int64_t validation_cases(std::int64_t shots);

/// Batches of the few shots: each shot equally often, every time with a fresh draw from its
/// posterior, fresh noise and a uniform timestep, all from (seed, step).
class ShotBatches final : public BatchSource {
 public:
  /// `train` are the shots to learn from, `validation` those of the fixed batches, as indices into
  /// `latents`, which must outlive this. A shot's prompt is `prompt_of_label[its label]`.
  ShotBatches(ShotLatents& latents, std::vector<std::int64_t> train,
              std::vector<std::int64_t> validation, std::vector<std::int64_t> prompt_of_label,
              const ShotBatchesOptions& options);

  DiffusionBatch batch(std::int64_t step) override;
  /// validation_cases over the validation shots with timesteps spread evenly over all noise levels.
  std::vector<DiffusionBatch> validation() override;

 private:
  /// Fills latents and prompts from shots and cuts; `draw` is normal noise, or undefined for the
  /// posteriors' means.
  DiffusionBatch assemble(const std::vector<std::int64_t>& shots, const std::vector<ImageCut>& cuts,
                          const at::Tensor& draw);

  ShotLatents& latents_;
  std::vector<std::int64_t> train_;
  std::vector<std::int64_t> validation_;
  std::vector<std::int64_t> prompt_of_label_;
  ShotBatchesOptions options_;
  train::BatchOrder order_;
};

}  // namespace dd::adapt
