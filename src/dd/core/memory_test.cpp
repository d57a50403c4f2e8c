// SPDX-License-Identifier: Apache-2.0
#include "dd/core/memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 20;

std::int64_t peak_of(std::size_t size) {
  const dd::PeakMemory peak;
  {
    const std::vector<char> block(size, 1);
    EXPECT_EQ(block.back(), 1);
  }
  return peak.bytes().value_or(0);
}

TEST(PeakMemory, CountsWhatIsGoneAgainButNotWhatWasBefore) {
  if (!dd::PeakMemory().bytes()) GTEST_SKIP() << "this system does not say";
  const std::int64_t large = peak_of(kBlock);
  const std::int64_t small = peak_of(1);
  EXPECT_GT(large, static_cast<std::int64_t>(kBlock));
  EXPECT_GT(large - small, static_cast<std::int64_t>(kBlock) / 2);
}

}  // namespace
