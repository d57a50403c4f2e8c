// SPDX-License-Identifier: Apache-2.0
#include "dd/run/guidance_interval.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

using dd::run::GuidanceInterval;

TEST(GuidanceInterval, HasOneTextForAllWaysOfWritingIt) {
  const auto text = [](const std::string& given) { return GuidanceInterval::parse(given).text(); };
  EXPECT_EQ(text("all"), "all");
  EXPECT_EQ(text(":"), "all");
  EXPECT_EQ(text("0:0"), "all");
  EXPECT_EQ(text("0.50:3.0"), "0.5:3");
  EXPECT_EQ(text("2:0"), "2:");
  EXPECT_EQ(text("0:2"), ":2");
  const GuidanceInterval part = GuidanceInterval::parse("0.5:3");
  EXPECT_EQ(part.low, 0.5);
  EXPECT_EQ(part.high, 3);
}

TEST(GuidanceInterval, ListsMayHaveCommas) {
  EXPECT_EQ(dd::run::interval_texts({"all,0.5:3.0", "2:"}),
            (std::vector<std::string>{"all", "0.5:3", "2:"}));
  EXPECT_THROW(dd::run::interval_texts({"all,,2:"}), dd::Error);
}

TEST(GuidanceInterval, AnythingElseIsRefusedByName) {
  for (const char* given : {"", "some", "1", "3:1", "-1:2", "1:2:3", "nan:1", "1:inf", "1 :2"}) {
    try {
      GuidanceInterval::parse(given);
      ADD_FAILURE() << "accepted " << given;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find("--guidance-interval"), std::string::npos);
    }
  }
}

}  // namespace
