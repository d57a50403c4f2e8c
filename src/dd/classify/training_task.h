// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <optional>

#include "dd/classify/batch_plan.h"
#include "dd/classify/clip_model.h"
#include "dd/classify/training_data.h"
#include "dd/classify/validation.h"
#include "dd/lora/lora_set.h"
#include "dd/train/batches.h"
#include "dd/train/engine.h"

namespace dd::classify {

/// What all trainings of one call share.
struct TrainingSetup {
  const ClipModel& model;
  const TrainingData& data;
  at::Tensor tokens;  ///< class prompts
  const TrainOptions& options;
  std::uint64_t seed;
  std::int64_t threads;
};

/// CLIP's cross-entropy over class prompts on a batch of both kinds. The batch of a step, its
/// augmentation, mixing and dropout follow from (seed, step), those of a sample from its place in
/// the batch too. While a step is computed, another thread prepares the pictures of the next one.
class TrainingTask final : public train::Task {
 public:
  /// `record` takes accuracies where there are validation images, and the parameters from
  /// `parameters`. All arguments but the plan must outlive the task.
  TrainingTask(const TrainingSetup& setup, const BatchPlan& plan, lora::LoraSet& lora,
               const train::FlatParameters& parameters, ValidationRecord& record);

  at::Tensor loss(std::int64_t step) override;
  std::optional<double> validation_loss() override;
  std::vector<std::pair<std::string, double>> validation_figures() const override;

 private:
  /// The pictures of a step, real ones first.
  struct Drawn {
    std::vector<Image> images;
    std::vector<std::int64_t> labels;
  };
  Drawn draw(std::int64_t step);
  /// draw(step), of which the thread may have taken care, and sets it on the next one.
  Drawn take(std::int64_t step);
  /// Mixes the batch where it is this step's turn; labels become shares of the classes.
  void mix(std::int64_t step, std::int64_t classes, at::Tensor& pixels, at::Tensor& targets) const;

  const TrainingSetup& setup_;
  BatchPlan plan_;
  lora::LoraSet& lora_;
  const train::FlatParameters& parameters_;
  ValidationRecord& record_;
  /// Never set: a step is finished before the engine saves its state and stops.
  CancelToken never_;
  std::optional<train::BatchOrder> real_order_;
  std::optional<train::BatchOrder> synthetic_order_;
  std::int64_t done_ = 0;       ///< updates when validation_loss is called
  double top1_ = 0;             ///< that it found
  std::int64_t ahead_of_ = -1;  ///< the step that `ahead_` draws
  std::future<Drawn> ahead_;    ///< last, so that it ends before anything it uses goes
};

/// λ CE(first `plan.real` rows) + (1 − λ) CE(the others); logits [B, C]; targets are labels [B] or
/// shares of the classes [B, C]. `label_smoothing` s replaces a target t by (1 − s) t + s / C.
at::Tensor weighted_loss(const at::Tensor& logits, const at::Tensor& targets, const BatchPlan& plan,
                         double label_smoothing = 0);

}  // namespace dd::classify
