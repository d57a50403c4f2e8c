// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

using dd::Json;

template <class T>
T value_of(const std::string& text) {
  return dd::json_required<T>(Json::parse(R"({"a": )" + text + "}"), "a", "file");
}

TEST(JsonValue, WholeNumbersMayBeWrittenWithAPoint) {
  EXPECT_EQ(value_of<std::int64_t>("-7"), -7);
  EXPECT_EQ(value_of<std::int64_t>("64.0"), 64);
  EXPECT_EQ(value_of<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(value_of<std::vector<std::int64_t>>("[1, 2.0]"), (std::vector<std::int64_t>{1, 2}));
}

TEST(JsonValue, NumbersThatATypeCannotHoldAreRefused) {
  for (const char* number : {"0.5", "1e30", "-1e300", "9223372036854775808", "true", "\"1\""})
    EXPECT_THROW(value_of<std::int64_t>(number), dd::Error) << number;
  for (const char* number : {"-1", "45555555555555555555555", "-0.5"})
    EXPECT_THROW(value_of<std::uint64_t>(number), dd::Error) << number;
  for (const char* list : {"[1, 1e30]", "[0.5]", "[[1]]", "{}", "3"})
    EXPECT_THROW(value_of<std::vector<std::int64_t>>(list), dd::Error) << list;
  EXPECT_THROW(value_of<std::vector<std::vector<std::int64_t>>>("[[1], [1e30]]"), dd::Error);
}

TEST(JsonValue, RefusalsAreShort) {
  try {
    value_of<std::int64_t>(Json(std::vector<int>(5000, 1)).dump());
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 300U);
  }
}

}  // namespace
