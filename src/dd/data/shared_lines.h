// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/data/dataset.h"

namespace dd {

/// What `line_of(0)` … `line_of(count - 1)` say, each a line without its end, in their order.
/// Together with the ranks of `context`, of which each does others, on so many threads; `line_of`
/// must be safe to call at the same time. Reports `task` as progress and may be stopped.
std::vector<std::string> share_lines(std::int64_t count, std::int64_t threads,
                                     const Context& context, const std::string& task,
                                     const std::function<std::string(std::int64_t)>& line_of);

/// The content hash of every image of a set, in its order; together likewise.
std::vector<std::string> content_hashes(const Dataset& images, std::int64_t threads,
                                        const Context& context);

}  // namespace dd
