// SPDX-License-Identifier: Apache-2.0
#include "dd/core/text_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "dd/core/statistics.h"

namespace {

TEST(TextTable, AlignsColumnsByWhatIsSeen) {
  EXPECT_EQ(dd::text_table({{"method", "%"}, {"real", "70.1 ± 2"}, {"größe", "5"}}),
            "method         %\n"
            "real    70.1 ± 2\n"
            "größe          5\n");
}

TEST(Statistics, DeviationIsThatOfASample) {
  const std::array values{1.0, 2.0, 6.0};
  EXPECT_DOUBLE_EQ(dd::spread_of(values).mean, 3);
  EXPECT_DOUBLE_EQ(dd::spread_of(values).deviation, std::sqrt(7.0));
  EXPECT_EQ(dd::spread_of(std::span(values).first(1)).deviation, 0);
}

}  // namespace
