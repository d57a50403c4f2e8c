// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dd/adapt/adapt_plan.h"

namespace dd::adapt {

using AdapterGroup = std::vector<const AdapterJob*>;

/// The jobs in groups of at most `size` that can be trained together: they have as many validation
/// cases and go on from the same step. Those that are further on come first, else the order of the
/// jobs is kept.
std::vector<AdapterGroup> adapter_groups(const AdapterGroup& jobs, std::int64_t size);

/// The shots that a job's validation loss is measured on: held out, or else those it learns from.
const std::vector<std::int64_t>& validation_shots(const AdapterJob& job);

}  // namespace dd::adapt
