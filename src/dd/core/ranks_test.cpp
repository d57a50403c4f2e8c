// SPDX-License-Identifier: Apache-2.0
#include "dd/core/ranks.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using dd::cut_into_runs;

TEST(LoneRank, DoesEverythingItselfInOrder) {
  dd::Ranks& ranks = dd::lone_rank();
  EXPECT_TRUE(ranks.first());
  EXPECT_TRUE(ranks.alone());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::int64_t> done;
    dd::share_out(ranks, 4, [&](std::int64_t i) { done.push_back(i); });
    EXPECT_EQ(done, (std::vector<std::int64_t>{0, 1, 2, 3}));
  }
  std::array<double, 2> values{1.5, 2.5};
  ranks.sum(values);
  EXPECT_EQ(values[1], 2.5);
  EXPECT_EQ(ranks.gather("x"), std::vector<std::string>{"x"});
  EXPECT_EQ(ranks.from_first("y"), "y");
  EXPECT_FALSE(ranks.share_stop(false));
  EXPECT_TRUE(ranks.share_stop(true));
  EXPECT_EQ(ranks.settle({2, false, "bad"}).text, "bad");
}

TEST(CutIntoRuns, CoversEverythingWithinGroupsAndEndsSmall) {
  const std::vector<std::int64_t> groups{10, 11, 40, 100};
  for (const std::int64_t ranks : {1, 2, 3, 64}) {
    std::int64_t before = 0;
    std::int64_t last = 0;
    for (const std::int64_t end : cut_into_runs(groups, ranks)) {
      ASSERT_GT(end, before);
      for (const std::int64_t group : groups) EXPECT_FALSE(before < group && end > group);
      last = end - before;
      before = end;
    }
    EXPECT_EQ(before, 100);
    EXPECT_EQ(last, 1);
  }
  // What is left when a run begins, shared among twice as many as there are ranks.
  EXPECT_EQ(cut_into_runs({16}, 2),
            (std::vector<std::int64_t>{4, 7, 9, 10, 11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(cut_into_runs({2, 3}, 1), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(
      cut_into_runs({10, 11, 40, 100}, 4),
      (std::vector<std::int64_t>{10, 11, 22, 31, 39, 40, 47, 53, 58, 63, 67, 71, 74, 77, 79, 81, 83,
                                 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100}));
}

TEST(CutIntoRuns, NothingIsCutIntoNothing) {
  EXPECT_TRUE(cut_into_runs({}, 3).empty());
}

}  // namespace
