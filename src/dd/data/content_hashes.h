// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/data/dataset.h"

namespace dd {

/// The content hash of every image of a set, in its order. Together with the ranks of `context`, of
/// which each reads other files, with so many threads.
std::vector<std::string> content_hashes(const Dataset& images, std::int64_t threads,
                                        const Context& context);

}  // namespace dd
