// SPDX-License-Identifier: Apache-2.0
#include "dd/ranks/machine.h"

#include <gtest/gtest.h>

#include "dd/core/ranks.h"

namespace {

TEST(Machine, NeighboursAreThoseOfTheSameName) {
  const std::vector<std::string> places{"a\n0 1 2 3 ", "b\n0 1 ", "a\n0 1 2 3 ", "b\n2 3 "};
  const dd::LocalRanks third = dd::find_neighbours(places, 2);
  EXPECT_EQ(third.rank, 1);
  EXPECT_EQ(third.count, 2);
  EXPECT_EQ(third.cores, 4) << "all cores were left to both";
  const dd::LocalRanks last = dd::find_neighbours(places, 3);
  EXPECT_EQ(last.rank, 1);
  EXPECT_EQ(last.cores, 4) << "each is bound to two";
  EXPECT_EQ(dd::find_neighbours({"a\n", "ab\n0 "}, 0).count, 1);
  EXPECT_EQ(dd::find_neighbours({"a\n", "ab\n0 "}, 0).cores, 1);
}

TEST(Machine, DevicesAreTakenInTurnWhereTheUserNamedNone) {
  EXPECT_EQ(dd::device_of_rank("auto", 1, 2), "cuda:1");
  EXPECT_EQ(dd::device_of_rank("cuda", 5, 4), "cuda:1");
  EXPECT_EQ(dd::device_of_rank("auto", 3, 1), "cuda:0") << "a launcher shows each its own";
  EXPECT_EQ(dd::device_of_rank("auto", 1, 0), "auto");
  for (const char* chosen : {"cpu", "cuda:3"}) EXPECT_EQ(dd::device_of_rank(chosen, 1, 8), chosen);
}

TEST(Machine, ThisProcessHasACoreAndNoNeighbour) {
  const dd::LocalRanks local = dd::local_ranks(dd::lone_rank());
  EXPECT_EQ(local.rank, 0);
  EXPECT_EQ(local.count, 1);
  EXPECT_GE(local.cores, 1);
}

}  // namespace
