// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dd/core/ranks.h"
#include "dd/ranks/launch.h"

namespace dd {

/// The ranks that a launcher started, this process among them. Call once, from the main thread,
/// with signals blocked that no thread of MPI's shall take. Error(kUsage) where the program was
/// built without MPI, or with another MPI than the launcher's, or MPI is not there any more: it is
/// loaded here, from datadream_mpi.so beside the running program or where its installation put it.
///
/// When the object goes, the process has left MPI; where a rank was left waiting for others that
/// failed, all ranks are ended then, with the status that settle() returned.
std::unique_ptr<Ranks> join_ranks(const Launch& launch);

}  // namespace dd
