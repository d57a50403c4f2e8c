// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "dd/adapt/diffusion_loss.h"
#include "dd/core/context.h"
#include "dd/core/ranks.h"
#include "dd/train/engine.h"

namespace dd::adapt {

/// One adapter's training on the diffusion loss.
class AdaptTask final : public train::Task {
 public:
  /// All but `options` must outlive the task. The source is asked for its validation batches right
  /// away; several ranks share them, and between two of them `cancel` may stop the validation.
  AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
            BatchSource& batches, const StepOptions& options = {}, Ranks& ranks = lone_rank(),
            const CancelToken& cancel = never_stopped());

  at::Tensor loss(std::int64_t step) override;
  std::int64_t parts() const override { return parts_; }
  at::Tensor part_of_loss(std::int64_t step, std::int64_t part) override;
  std::optional<double> validation_loss(std::int64_t step) override;

 private:
  DiffusionLoss loss_;
  BatchSource& batches_;
  std::int64_t parts_;
  Ranks& ranks_;
  const CancelToken& cancel_;
  DiffusionBatch whole_;          ///< of the step whose parts are being computed …
  std::int64_t whole_step_ = -1;  ///< … which is this one
  std::vector<DiffusionBatch> validation_;
};

}  // namespace dd::adapt
