// SPDX-License-Identifier: Apache-2.0
#include "dd/core/number_text.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

TEST(NumberText, IsTheShortestThatGivesTheNumberBack) {
  EXPECT_EQ(dd::shortest_text(0.8), "0.8");
  EXPECT_EQ(dd::shortest_text(3.0), "3");
  EXPECT_EQ(dd::shortest_text(0.1 + 0.2), "0.30000000000000004");
}

TEST(NumberText, ListsMayHaveCommasOrStandApart) {
  EXPECT_EQ(dd::parse_numbers("lambda", {"0.5,0.8", "1"}), (std::vector<double>{0.5, 0.8, 1}));
  EXPECT_TRUE(dd::parse_numbers("lambda", {}).empty());
}

TEST(NumberText, SaysWhatIsNoNumber) {
  for (const char* wrong : {"half", "0.5x", "0.5,,1", "--1"}) {
    EXPECT_THROW(dd::parse_numbers("lambda", {wrong}), dd::Error) << wrong;
  }
}

}  // namespace
