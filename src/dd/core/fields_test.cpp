// SPDX-License-Identifier: Apache-2.0
#include "dd/core/fields.h"

#include <gtest/gtest.h>

namespace {

struct Sample final : dd::Options {
  std::int64_t rank = 16;
  double rate = 1e-4;
  std::string mode = "class";
  std::filesystem::path out;
  std::optional<std::string> prompt;
  std::vector<std::string> scales;
  void visit(dd::FieldVisitor& v) override {
    v.field("rank", rank, {.help = "LoRA rank", .low = 1, .high = 1024});
    v.field("learning-rate", rate, {.help = "peak rate", .low = 0});
    v.field("mode", mode,
            {.help = "one adapter a class or one for all", .choices = {"class", "dataset"}});
    v.field("out", out, {.help = "folder", .required = true});
    v.field("prompt", prompt, {.help = "text"});
    v.field("scales", scales, {.help = "numbers or other texts"});
  }
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(Fields, RoundTripThroughJson) {
  Sample sample;
  sample.rank = 4;
  sample.out = "x";
  Sample copy;
  dd::options_from_json(copy, dd::options_to_json(sample), "test");
  EXPECT_EQ(copy.rank, 4);
  EXPECT_EQ(copy.out, "x");
  EXPECT_EQ(dd::options_to_json(sample).begin().key(), "rank");
}

TEST(Fields, NumbersThatAFieldCannotHoldAreRefused) {
  Sample sample;
  dd::options_from_json(sample, {{"rank", 6.0}}, "run.toml");
  EXPECT_EQ(sample.rank, 6);
  const dd::Json beyond(std::uint64_t{1} << 63);  // -2^63 for who does not look
  for (const dd::Json& number : {beyond, dd::Json(6.5), dd::Json(1e30), dd::Json(true)}) {
    EXPECT_NE(message_of([&] {
                dd::options_from_json(sample, {{"rank", number}}, "run.toml");
              }).find("wrong type"),
              std::string::npos)
        << number;
  }
  EXPECT_EQ(sample.rank, 6);
}

TEST(Fields, AnAbsentTextIsNotTheEmptyOne) {
  Sample sample;
  EXPECT_TRUE(dd::options_to_json(sample).at("prompt").is_null());
  Sample copy;
  for (const std::optional<std::string>& prompt :
       {std::optional<std::string>(""), std::optional<std::string>("cat"),
        std::optional<std::string>()}) {
    sample.prompt = prompt;
    dd::options_from_json(copy, dd::options_to_json(sample), "test");
    EXPECT_EQ(copy.prompt, prompt);
  }
  EXPECT_NE(message_of([&] {
              dd::options_from_json(copy, {{"prompt", 3}}, "run.toml");
            }).find("\"prompt\""),
            std::string::npos);
}

TEST(Fields, ListsOfTextsTakeNumbersAsTheyAreWritten) {
  Sample sample;
  dd::options_from_json(sample, {{"scales", {0.5, 2, "auto"}}}, "run.toml");
  EXPECT_EQ(sample.scales, (std::vector<std::string>{"0.5", "2", "auto"}));
  EXPECT_NE(message_of([&] {
              dd::options_from_json(sample, {{"scales", {true}}}, "run.toml");
            }).find("wrong type"),
            std::string::npos);
}

TEST(Fields, UnknownKeyNamesTheNearest) {
  Sample sample;
  const std::string text = message_of([&] {
    dd::options_from_json(sample, {{"learning_rat", 1.0}}, "run.toml");
  });
  EXPECT_NE(text.find("run.toml"), std::string::npos) << text;
  EXPECT_NE(text.find("\"learning_rate\""), std::string::npos) << text;
}

TEST(Fields, RangeChoiceAndRequiredAreChecked) {
  Sample sample;
  EXPECT_NE(message_of([&] { dd::check_options(sample); }).find("--out"), std::string::npos);
  sample.out = "x";
  EXPECT_EQ(message_of([&] { dd::check_options(sample); }), "no error");
  sample.rank = 0;
  EXPECT_NE(message_of([&] { dd::check_options(sample); }).find("--rank"), std::string::npos);
  sample.rank = 1;
  sample.mode = "both";
  EXPECT_NE(message_of([&] { dd::check_options(sample); }).find("class, dataset"),
            std::string::npos);
}

}  // namespace
