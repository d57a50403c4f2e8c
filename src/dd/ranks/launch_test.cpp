// SPDX-License-Identifier: Apache-2.0
#include "dd/ranks/launch.h"

#include <gtest/gtest.h>

#include <map>

namespace {

dd::Launch with(const std::map<std::string, std::string>& variables) {
  return dd::find_launch([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launch, IsFoundInTheVariablesOfEachLauncher) {
  EXPECT_EQ(with({}).count, 1);
  EXPECT_TRUE(with({}).variable.empty());
  const dd::Launch open_mpi = with({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_EQ(open_mpi.rank, 2);
  EXPECT_EQ(open_mpi.count, 4);
  EXPECT_EQ(open_mpi.variable, "OMPI_COMM_WORLD_SIZE");
  EXPECT_EQ(with({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}).rank, 1);
  EXPECT_EQ(with({{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "3"}}).count, 3);
}

TEST(Launch, ABatchScriptOfManyTasksIsOneProcess) {
  EXPECT_EQ(with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).count, 1);
}

TEST(Launch, NonsenseCountsAsNoLauncher) {
  EXPECT_EQ(with({{"PMI_RANK", "x"}, {"PMI_SIZE", "2"}}).count, 1);
  EXPECT_EQ(with({{"PMI_RANK", "2"}, {"PMI_SIZE", "2"}}).count, 1);
  EXPECT_EQ(with({{"PMI_RANK", ""}, {"PMI_SIZE", "2 "}}).count, 1);
  EXPECT_EQ(with({{"PMI_RANK", "0"}, {"PMI_SIZE", "0"}}).count, 1);
}

}  // namespace
