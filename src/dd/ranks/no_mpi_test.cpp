// SPDX-License-Identifier: Apache-2.0
// Built with no_mpi.cpp, also where the program is built with MPI.
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/ranks/join.h"

namespace {

TEST(WithoutMpi, SeveralProcessesAreRefusedWithAWayOut) {
  try {
    dd::join_ranks({.rank = 1, .count = 3, .variable = "OMPI_COMM_WORLD_SIZE"});
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    const std::string text = error.what();
    for (const char* part : {"3 processes", "OMPI_COMM_WORLD_SIZE", "without MPI", "--shard I/N"}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
}

}  // namespace
