// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

/// Chosen images of another set, in the order given; class names and labels stay. The indices must
/// lie inside `dataset`.
std::unique_ptr<Dataset> make_subset(std::shared_ptr<const Dataset> dataset,
                                     std::vector<std::int64_t> indices);

}  // namespace dd
