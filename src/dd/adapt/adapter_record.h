// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/adapt/adapt_plan.h"
#include "dd/train/engine.h"

namespace dd::adapt {

/// What all adapters of a call share.
struct AdaptRun {
  std::string settings;     ///< see settings_text
  std::string identity;     ///< hash over settings, model and images
  std::string model;        ///< folder
  std::string fingerprint;  ///< of the model
};

/// Refuses a folder that holds adapters of another identity (Error(kUsage)), or empties it of all
/// that run_adapt writes when `force` is set; then writes shots.json, adapt.json, which holds the
/// identity, and, for adapters of classes, classes.txt.
void prepare_output(const std::filesystem::path& out, const AdaptPlan& plan, const AdaptRun& run,
                    bool force);

bool is_complete(const AdapterJob& job, const AdaptRun& run);

/// Resumable state of an adapter that is not complete.
std::filesystem::path state_file(const AdapterJob& job);

/// Writes adapter.json, by which an adapter counts as complete.
void write_record(const AdapterJob& job, const AdaptPlan& plan, const AdaptRun& run,
                  const train::TrainResult& result, std::int64_t parameters);

}  // namespace dd::adapt
