// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "dd/core/context.h"

namespace dd {

/// Calls `work(0)` … `work(count - 1)`, each once, on `threads` threads of its own (at least one);
/// `work` must be safe to call at the same time. Reports `task` as progress from the calling thread
/// and stops early when cancelled. Of several failures the one with the lowest index is thrown.
void for_each_parallel(std::int64_t count, std::int64_t threads, const Context& context,
                       const std::string& task, const std::function<void(std::int64_t)>& work);

/// The number of threads to take where the user chose `threads`; 0 = as many as there are cores.
std::int64_t thread_count(std::int64_t threads);

}  // namespace dd
