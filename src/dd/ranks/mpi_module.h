// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dd/core/ranks.h"
#include "dd/ranks/launch.h"

namespace dd {

/// The file that speaks with MPI, and the one function that it has for the program, which does what
/// join_ranks says.
inline constexpr const char* kMpiModule = "datadream_mpi.so";
inline constexpr const char* kJoinMpi = "dd_join_mpi";
using JoinMpi = void(const Launch& launch, std::unique_ptr<Ranks>& ranks);

}  // namespace dd
