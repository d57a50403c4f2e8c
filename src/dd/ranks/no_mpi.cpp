// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/ranks/join.h"

namespace dd {

std::unique_ptr<Ranks> join_ranks(const Launch& launch) {
  fail_usage(
      cat("started as ", launch.count, " processes (", launch.variable,
          "), but built without MPI; start one process, divide the work by hand with --shard "
          "I/N, or unset ",
          launch.variable, " where each is to work alone"));
}

}  // namespace dd
