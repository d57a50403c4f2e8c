// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/sweep/options.h"

namespace dd::sweep {

struct SweepResult {
  std::int64_t done = 0;     ///< cells measured in this call
  std::int64_t kept = 0;     ///< cells found measured
  std::int64_t missing = 0;  ///< cells that belong to other parts and are not there yet
  std::string text;          ///< the table; with --dry-run, the plan and what it costs
};

/// Measures every cell of a grid. Stages that cells have in common are done once, each in a folder
/// below OUT that is named for what it depends on (run::StageNames); a measured cell leaves
/// cell.json in its evaluation's folder, so that a call that was stopped, however roughly, goes on
/// with the rest, and a larger grid adds to a smaller one. Cells do not depend on what else is in
/// the grid, nor on the order.
///
/// Writes OUT/sweep.json (settings, cells, rows) and OUT/sweep.csv anew after each cell, and
/// OUT/report.html at the end. Error as run::run_all, and Error(kUsage) when another process works
/// on the same part (--shard).
SweepResult run_sweep(const SweepOptions& options, const CommonOptions& common, Context& context);

}  // namespace dd::sweep
