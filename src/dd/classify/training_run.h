// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/classify/training_task.h"
#include "dd/core/json.h"

namespace dd::classify {

/// One training into one folder.
struct TrainingRun {
  std::filesystem::path folder;
  std::string identity;  ///< of settings, CLIP and data
  double lambda = 0.8;
  std::string name = "train classifier";  ///< for progress
};

/// Trains, or goes on where an interrupted training of the same identity stopped, and writes the
/// adapter and then the record, which it returns. States are gone afterwards.
Json train_classifier(const TrainingSetup& setup, const TrainingRun& run, Context& context);

/// The LoRA that the options ask for.
lora::LoraOptions lora_options(const TrainOptions& options);
lora::LoraTargets lora_targets(const TrainOptions& options);

/// Bytes of one training besides its pictures, on one of the ranks that share its steps.
struct TrainingRoom {
  std::int64_t memory = 0;  ///< the adapter, its gradients and moments, and a step's activations
  std::int64_t disk = 0;    ///< at most, while its state is replaced
};
TrainingRoom room_of_training(const ClipModel& model, const TrainOptions& options,
                              std::int64_t steps, std::int64_t classes, std::int64_t ranks);

/// Removes what an interrupted training would go on from.
void remove_states(const std::filesystem::path& folder);

/// Removes record, adapter and states of a classifier from the folder, and nothing else.
void remove_classifier(const std::filesystem::path& folder);

}  // namespace dd::classify
