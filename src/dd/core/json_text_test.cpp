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

std::string object_of(int keys) {
  std::string text = "{";
  for (int i = 0; i < keys; ++i) text += (i == 0 ? "\"a" : ",\"a") + std::to_string(i) + "\":0";
  return text + "}";
}

TEST(JsonText, CountsNamesByWhatTheyCost) {
  EXPECT_FALSE(dd::names_too_much(object_of(25'000)));
  EXPECT_TRUE(dd::names_too_much(object_of(40'000)));
  EXPECT_FALSE(dd::names_too_much('"' + std::string(100'000, ':') + '"'));
  std::string many = "[";
  for (int i = 0; i < 20'000; ++i) many += object_of(10) + ",";
  EXPECT_FALSE(dd::names_too_much(many));
}

TEST(JsonText, FilesThatWouldTakeHoursAreRefused) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "long.json";
  std::ofstream(file) << object_of(1'000'000);
  try {
    dd::read_json(file);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("long.json names more"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(dd::parse_json(object_of(40'000)).is_null());
  // Sorted objects take no more than a moment.
  const auto sorted =
      dd::parse_document<dd::SortedJson>(object_of(100'000), "text", "mend the text");
  EXPECT_EQ(sorted.size(), 100'000U);
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
