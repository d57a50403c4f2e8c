// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/core/json.h"
#include "dd/run/stages.h"

namespace dd::sweep {

/// Plans a comparison with real images for each set of synthetic ones in the chain, in the largest
/// size that a cell uses.
void add_comparisons(run::Chain& chain, const run::Setup& setup);

/// What the finished comparison measured, beside its settings and seed; null when it is not there.
Json alignment_of(const run::Comparison& comparison);

/// One row for the entries that differ in nothing but the seed: the settings, "seeds", and each
/// figure as {"mean", "deviation"} (of the sample; null for one seed).
Json group_alignments(const Json& entries);

/// The rows for a terminal.
std::string alignment_table(const Json& rows);

}  // namespace dd::sweep
