// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <optional>
#include <utility>

#include "dd/classify/batch_plan.h"
#include "dd/classify/clip_model.h"
#include "dd/classify/training_data.h"
#include "dd/classify/validation.h"
#include "dd/core/ranks.h"
#include "dd/lora/lora_set.h"
#include "dd/train/batches.h"
#include "dd/train/engine.h"

namespace dd::classify {

/// What all trainings of one call share.
struct TrainingSetup {
  const ClipModel& model;
  const TrainingData& data;
  models::ClipPrompts prompts;  ///< of the classes
  const TrainOptions& options;
  std::uint64_t seed;
  std::int64_t threads;
  Ranks& ranks;               ///< that share each batch
  const CancelToken& cancel;  ///< of validation: between steps the engine stops
};

/// Some rows of a batch, `end` being the one behind the last.
struct Rows {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// CLIP's cross-entropy over class prompts on a batch of both kinds. The batch of a step, its
/// augmentation, mixing and dropout follow from (seed, step), those of a sample from its place in
/// the batch too. While a step is computed, another thread prepares the pictures of the next one.
/// Several ranks share a batch's rows and see the same batch as one would, but for dropout, whose
/// masks are other ones for another number of ranks.
class TrainingTask final : public train::Task {
 public:
  /// `record` takes accuracies where there are validation images, and the parameters from
  /// `parameters`. All arguments but the plan must outlive the task.
  TrainingTask(const TrainingSetup& setup, const BatchPlan& plan, lora::LoraSet& lora,
               const train::FlatParameters& parameters, ValidationRecord& record);

  at::Tensor loss(std::int64_t step) override { return part_of_loss(step, 0); }
  std::int64_t parts() const override;
  at::Tensor part_of_loss(std::int64_t step, std::int64_t part) override;
  std::optional<double> validation_loss(std::int64_t step) override;
  std::vector<std::pair<std::string, double>> validation_figures() const override;

 private:
  /// Pictures of some rows of a step's batch.
  struct Drawn {
    std::vector<Image> images;
    std::vector<std::int64_t> labels;
  };
  Drawn draw(std::int64_t step, Rows rows);
  /// draw(step, rows_drawn(step, part)), of which the thread may have taken care, and sets it on
  /// the same part of the next step.
  Drawn take(std::int64_t step, std::int64_t part);
  /// What a part is computed from, of the batch: its own rows, or all where they are mixed.
  Rows rows_drawn(std::int64_t step, std::int64_t part) const;
  Rows rows_of(std::int64_t part) const;
  bool is_mixed(std::int64_t step) const;
  /// Mixes a whole batch where it is this step's turn; labels become shares of the classes.
  void mix(std::int64_t step, std::int64_t classes, at::Tensor& pixels, at::Tensor& targets) const;

  const TrainingSetup& setup_;
  BatchPlan plan_;
  lora::LoraSet& lora_;
  const train::FlatParameters& parameters_;
  ValidationRecord& record_;
  std::optional<train::BatchOrder> real_order_;
  std::optional<train::BatchOrder> synthetic_order_;
  double top1_ = 0;                                        ///< that the last validation found
  std::pair<std::int64_t, std::int64_t> ahead_of_{-1, 0};  ///< step and part that `ahead_` draws
  std::future<Drawn> ahead_;  ///< last, so that it ends before anything it uses goes
};

/// λ CE(first `plan.real` rows) + (1 − λ) CE(the others); logits [B, C]; targets are labels [B] or
/// shares of the classes [B, C]. `label_smoothing` s replaces a target t by (1 − s) t + s / C.
at::Tensor weighted_loss(const at::Tensor& logits, const at::Tensor& targets, const BatchPlan& plan,
                         double label_smoothing = 0);

/// What the rows `rows` of that batch contribute to it, given their logits and targets alone.
at::Tensor part_of_weighted_loss(const at::Tensor& logits, const at::Tensor& targets,
                                 const BatchPlan& plan, Rows rows, double label_smoothing = 0);

}  // namespace dd::classify
