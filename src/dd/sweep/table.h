// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd::sweep {

/// The columns that tell cells apart, besides the seed: "method", "mode", "shots", …
const std::vector<std::string>& setting_columns();

/// One row for the cells (entries as run::result_of makes them) that differ in nothing but the
/// seed, in the order of the first: the settings, "seeds", "top1" (mean), "deviation" (of the
/// sample; null for one seed), "top1_by_seed", "n" (test images), "seconds" (mean), "effort"
/// (run::Effort, of the first seed).
Json group_cells(const Json& cells);

/// The rows for a terminal: method, shots, images a class, and what else differs between them.
std::string sweep_table(const Json& rows);

/// A line a cell (RFC 4180), with a line of names; after the settings and figures what drawing one
/// image took.
std::string cells_csv(const Json& cells);

}  // namespace dd::sweep
