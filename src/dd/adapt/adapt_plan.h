// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/adapt/adapt.h"
#include "dd/data/dataset.h"
#include "dd/data/shots.h"

namespace dd::adapt {

/// One adapter to train.
struct AdapterJob {
  std::string class_name;             ///< empty for the whole data set
  std::filesystem::path folder;       ///< of its results
  std::vector<std::int64_t> classes;  ///< labels it learns
  std::vector<std::int64_t> train;    ///< indices into AdaptPlan::shots
  std::vector<std::int64_t> validation;
  std::int64_t steps = 0;
};

/// What a call of run_adapt will do. Made without loading the model.
struct AdaptPlan {
  std::shared_ptr<const Dataset> shots;  ///< the chosen images alone, ordered by label
  std::shared_ptr<const Dataset> data;   ///< the whole split
  ShotRecord record;                     ///< for shots.json; indices into `data`
  std::string prompt_template;           ///< with the data set's domain word in place
  std::vector<std::string> prompts;      ///< a label each
  std::vector<std::string> folders;      ///< a label each, as class folders are named
  std::vector<AdapterJob> jobs;
  std::string data_hash;  ///< of the chosen images and their classes

  /// In words, a line.
  std::string text() const;
};

/// A class's part of `total` steps, rounded, at least 1.
std::int64_t steps_of_class(std::int64_t total, std::int64_t classes);

/// Draws or reads the shots and shares out the steps: S for the data set, S / N for a class.
/// Error(kInput) and Error(kUsage) as the data layer has them. Together with the ranks of
/// `context`, which share the reading of the images.
AdaptPlan make_plan(const AdaptOptions& options, const CommonOptions& common,
                    const Context& context);

/// Everything that decides what the adapters become, as an indented JSON object.
std::string settings_text(const AdaptOptions& options, const CommonOptions& common,
                          const std::string& dtype, std::int64_t resolution);

}  // namespace dd::adapt
