// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/classify/training_data.h"
#include "dd/data/leak_guard.h"

namespace dd::classify {

/// Beside a classifier: prints of the images that it was trained and chosen on.
inline constexpr const char* kTrainingImages = "training_images.jsonl";

/// Prints of all images; Error(kInput), naming both, when one stands in two of few-shot, synthetic
/// and validation (see check_leaks). Validation images of the split "test", which only a protocol
/// that says so may choose by, have no print: comparing them with the test images would say what is
/// known.
std::vector<PrintSet> guard_training(const TrainOptions& options, const TrainingData& data,
                                     std::int64_t threads, const Context& context);

/// Compares the images to be scored with those that the classifier in the folder was trained on.
/// Equal ones are refused in a test split, Error(kInput), and warned of in others: people look at
/// the accuracy on training images too.
void guard_evaluation(const std::filesystem::path& classifier, const Dataset& images,
                      const std::string& split, std::int64_t threads, const Context& context);

}  // namespace dd::classify
