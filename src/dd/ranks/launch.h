// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace dd {

/// What a launcher (mpirun, srun) says of this process in its environment.
struct Launch {
  std::int64_t rank = 0;
  std::int64_t count = 1;
  std::string variable;  ///< that says so; empty without a launcher
};

/// Reads the variables of Open MPI, of MPICH and its kin, and of Slurm's srun, in this order.
/// `lookup` gives a variable's value, or null.
Launch find_launch(const std::function<const char*(const char*)>& lookup);

/// The same for this process.
Launch find_launch();

}  // namespace dd
