// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_folder.h"

namespace {

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(JsonText, CountsWhatStandsWithinEachOther) {
  EXPECT_FALSE(dd::nests_too_deeply(nested(200)));
  EXPECT_TRUE(dd::nests_too_deeply(nested(201)));
  EXPECT_FALSE(dd::nests_too_deeply("[" + std::string(1000, ' ') + R"(["a"],{"b":[]}])"));
  std::string row;
  for (int i = 0; i < 1000; ++i) row += "[],{},";
  EXPECT_FALSE(dd::nests_too_deeply(row));
}

TEST(JsonText, BracketsInTextsDoNotCount) {
  EXPECT_FALSE(dd::nests_too_deeply('"' + nested(500) + '"'));
  EXPECT_FALSE(dd::nests_too_deeply(R"("\")" + nested(100)));
  // The quote behind the backslash does not end the text.
  EXPECT_FALSE(dd::nests_too_deeply(R"("\"[[)" + std::string(300, '[') + '"'));
  EXPECT_TRUE(dd::nests_too_deeply(R"("\\")" + nested(300)));
}

TEST(JsonText, FilesThatWouldUseUpTheStackAreRefused) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "deep.json";
  std::ofstream(file) << nested(1'000'000);
  try {
    dd::read_json(file);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("deep"), std::string::npos) << error.what();
  }
}

TEST(JsonText, NumbersBeyondWhatNumbersCanBeAreRefused) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "large.json";
  std::ofstream(file) << R"({"a": 1)" << std::string(400, '0') << "}";
  try {
    dd::read_json(file);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("large.json holds a number"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(dd::parse_json("1e999").is_null());
}

TEST(JsonText, WhatIsNoJsonIsNull) {
  EXPECT_EQ(dd::parse_json(R"({"a": 1})").at("a"), 1);
  for (const std::string& text : {std::string("{"), std::string(), "[" + nested(300) + "]"}) {
    EXPECT_TRUE(dd::parse_json(text).is_null());
  }
}

}  // namespace
