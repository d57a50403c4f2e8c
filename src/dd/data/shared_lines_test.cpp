// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shared_lines.h"

#include <gtest/gtest.h>

#include <atomic>

#include "dd/core/error.h"
#include "support/absent_ranks.h"

namespace {

std::string line_of(std::int64_t i) {
  return "line " + std::to_string(i);
}

TEST(ShareLines, OneProcessDoesAll) {
  dd::NullReporter silent;
  const dd::Context context{silent, dd::never_stopped()};
  EXPECT_EQ(dd::share_lines(3, 2, context, "", line_of),
            (std::vector<std::string>{"line 0", "line 1", "line 2"}));
  EXPECT_TRUE(dd::share_lines(0, 2, context, "", line_of).empty());
}

/// The other rank does the odd ones.
class TwoRanks final : public dd::test::AbsentRanks {
 public:
  std::vector<std::string> gather(std::string own) override { return {own, others}; }
  std::string others = "line 1\nline 3\n";
};

TEST(ShareLines, EachRankDoesOthers) {
  dd::NullReporter silent;
  TwoRanks ranks;
  const dd::Context context{silent, dd::never_stopped(), ranks};
  std::atomic<int> calls = 0;
  const auto lines = dd::share_lines(5, 2, context, "", [&](std::int64_t i) {
    ++calls;
    return line_of(i);
  });
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(lines.size(), 5U);
  for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(lines[static_cast<std::size_t>(i)], line_of(i));
}

TEST(ShareLines, RanksThatSeeOtherFilesAreNamed) {
  dd::NullReporter silent;
  TwoRanks ranks;
  const dd::Context context{silent, dd::never_stopped(), ranks};
  for (const char* others : {"line 1\n", "line 1\nline 3\nline 5\n", ""}) {
    ranks.others = others;
    EXPECT_THROW(dd::share_lines(5, 2, context, "", line_of), dd::Error) << others;
  }
}

}  // namespace
