// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dd/adapt/diffusion_loss.h"
#include "dd/core/context.h"
#include "dd/train/engine.h"

namespace dd::adapt {

/// Trainings of several classes' adapters (lora::LoraGroup) in one batch: the rows of the first
/// class, then those of the second, and so on.
class GroupTask final : public train::JointTask {
 public:
  /// All must outlive the task. Each source has one prompt, later ones than the source before, and
  /// as many rows a batch as the others, in validation too.
  GroupTask(const models::StableDiffusion& model, const Conditioner& conditioner,
            const std::vector<BatchSource*>& sources, const StepOptions& options,
            const CancelToken& cancel = never_stopped());

  std::int64_t parts() const override { return parts_; }
  at::Tensor part_of_losses(std::int64_t step, std::int64_t part) override;
  std::vector<double> validation_losses() override;

 private:
  std::int64_t members() const { return static_cast<std::int64_t>(sources_.size()); }

  DiffusionLoss loss_;
  std::vector<BatchSource*> sources_;
  std::int64_t parts_;
  const CancelToken& cancel_;
  std::vector<DiffusionBatch> whole_;       ///< a member each, of the step being computed
  std::vector<DiffusionBatch> validation_;  ///< of all members together
};

}  // namespace dd::adapt
