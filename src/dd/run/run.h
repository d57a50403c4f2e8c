// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/run/options.h"

namespace dd::run {

struct RunResult {
  std::int64_t done = 0;  ///< stages that had something to do
  std::int64_t kept = 0;  ///< stages that were found complete
  std::string text;       ///< the table of accuracies; with --dry-run, the plan
};

/// From few shots to measured classifiers: for each seed, adapt, generate, train, evaluate and
/// align, each in a folder of its own below OUT (seed-0/adapt-class, …), zero-shot once. Writes
/// OUT/run.json, OUT/stages.json (times), OUT/results.json and OUT/report.html. What is complete is
/// kept, what was interrupted goes on. Input is checked before anything is written.
RunResult run_all(const RunOptions& options, const CommonOptions& common, Context& context);

}  // namespace dd::run
