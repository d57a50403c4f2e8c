// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dd/run/cell.h"
#include "dd/sweep/options.h"

namespace dd::sweep {

/// The cells of a grid, each once: seed by seed, in the order of the lists. Settings without
/// meaning for a cell's method (the λ of one kind of images, the shots of a frozen model) have the
/// value of RunOptions there, so that such cells are one. No synthetic images leave zero-shot CLIP
/// or real images only.
std::vector<run::Cell> cells_of(const SweepOptions& options,
                                const std::vector<std::int64_t>& seeds);

}  // namespace dd::sweep
