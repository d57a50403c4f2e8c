// SPDX-License-Identifier: Apache-2.0
#include "dd/core/seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

TEST(Seeds, DependOnEveryPartOfTheIdentity) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed : {0, 1}) {
    for (const char* purpose : {"noise", "crop"}) {
      for (std::uint64_t label = 0; label < 10; ++label) {
        for (std::uint64_t index = 0; index < 50; ++index) {
          seen.insert(dd::mix_seed(seed, purpose, {label, index}));
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), 2U * 2U * 10U * 50U);
  EXPECT_LT(*seen.rbegin(), std::uint64_t{1} << 63);
  EXPECT_NE(dd::mix_seed(0, "a", {1, 2}), dd::mix_seed(0, "a", {2, 1}));
}

TEST(Random, UniformIntegersCoverTheirRangeEvenly) {
  dd::Random random(7);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(random.below(7))];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Random, NormalHasMeanZeroAndDeviationOne) {
  dd::Random random(3);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

TEST(Random, PermutationHoldsEachNumberOnce) {
  std::vector<std::int64_t> order = dd::Random(5).permutation(100);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

}  // namespace
