// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/config_file.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/temporary_folder.h"

namespace {

struct Sample final : dd::Options {
  std::int64_t rank = 16;
  double rate = 1;
  bool flip = true;
  std::string prompt = "a \"photo\" of ü {}";
  std::optional<std::string> negative;
  std::filesystem::path model = "a\\b";
  std::vector<std::string> lora;
  std::vector<std::int64_t> seeds{0};
  void visit(dd::FieldVisitor& v) override {
    v.field("rank", rank, {.help = "rank"});
    v.field("learning-rate", rate, {.help = "rate"});
    v.field("flip", flip, {.help = "flip"});
    v.field("prompt", prompt, {.help = "prompt"});
    v.field("negative", negative, {.help = "negative"});
    v.field("model", model, {.help = "model"});
    v.field("lora", lora, {.help = "lora"});
    v.field("seeds", seeds, {.help = "seeds"});
  }
};

class ConfigFile : public ::testing::Test {
 protected:
  void read(const std::string& text) {
    dd::write_file_atomically(folder_.path() / "run.toml", text);
    dd::cli::read_config(folder_.path() / "run.toml", "adapt", {"adapt", "train"}, common_,
                         options_);
  }
  std::string failure(const std::string& text) {
    try {
      read(text);
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
      return error.what();
    }
    return "no error";
  }

  dd::test::TemporaryFolder folder_;
  dd::CommonOptions common_;
  Sample options_;
};

TEST_F(ConfigFile, TakesTopKeysAndTheCommandsTable) {
  read(
      "seed = 7\nrank = 2\n[adapt]\nrank = 4\nlearning_rate = 3\nlora = ['x', 'y']\nflip = false\n"
      "[train]\nanything = 1\n");
  EXPECT_EQ(common_.seed, 7);
  EXPECT_EQ(options_.rank, 4);
  EXPECT_EQ(options_.rate, 3.0);
  EXPECT_EQ(options_.lora, (std::vector<std::string>{"x", "y"}));
  EXPECT_FALSE(options_.flip);
}

TEST_F(ConfigFile, UnknownKeysNameFileLineAndNearest) {
  const std::string text = failure("seed = 1\nlearning_rat = 2\n");
  EXPECT_NE(text.find("run.toml:2: unknown option \"learning_rat\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"learning_rate\""), std::string::npos) << text;
  EXPECT_NE(failure("[adap]\nrank = 2\n").find("did you mean \"adapt\""), std::string::npos);
}

TEST_F(ConfigFile, WrongTypesAreRefused) {
  for (const char* line :
       {"rank = 'x'", "rank = 1.5", "rank = true", "flip = 1", "seeds = [1.5]", "seeds = 3",
        "prompt = 5", "learning_rate = '1'", "learning_rate = false"}) {
    EXPECT_NE(failure(line).find("wrong type"), std::string::npos) << line;
  }
  EXPECT_NE(failure("prompt = 2020-01-01").find("expected"), std::string::npos);
}

TEST_F(ConfigFile, SyntaxErrorsNameTheirPlace) {
  EXPECT_NE(failure("seed = 1\nrank = \n").find("run.toml:2:"), std::string::npos);
}

// The library would end the program.
TEST_F(ConfigFile, KeysThatBeginWithNoKeysLetterAreRefused) {
  for (const char* text : {"[;adapt]\nrank = 2\n", "[[;adapt]]\n", "a.; = 1\n", "; = 1\n"}) {
    EXPECT_NE(failure(text).find("run.toml"), std::string::npos) << text;
  }
}

// The library's table of blanks has holes.
TEST_F(ConfigFile, LettersBeyondAsciiAreTextAndNoKeys) {
  for (const char* text : {"é = 1\n", "seed = é\n", "seed = 1 é\n", "\xEF\xBB\xBE"}) {
    EXPECT_NE(failure(text).find("run.toml"), std::string::npos) << text;
  }
  read("prompt = \"été\" # é\n");
  EXPECT_EQ(options_.prompt, "été");
}

TEST_F(ConfigFile, KeysWithoutEndAreRefused) {
  std::string parts = "a";
  for (int i = 0; i < 150'000; ++i) parts += ".a";
  for (const std::string& text : {parts + " = 1\n", "[" + parts + "]\n", "[[" + parts + "]]\n"}) {
    EXPECT_NE(failure(text).find("run.toml nests its tables too deeply"), std::string::npos);
  }
  std::string numbers = "0.5";
  for (int i = 0; i < 2000; ++i) numbers += ", 0.5";
  EXPECT_NE(failure("seeds = [" + numbers + "]\n").find("seeds"), std::string::npos);
}

TEST_F(ConfigFile, StartingOverIsNotWrittenDown) {
  dd::CommonOptions common;
  common.force = true;
  common.seed = 5;
  read(dd::cli::config_text("adapt", common, options_));
  EXPECT_EQ(common_.seed, 5);
  EXPECT_FALSE(common_.force);
}

TEST_F(ConfigFile, WhatIsWrittenReadsBack) {
  common_.threads = 3;
  options_.rate = 1;
  options_.seeds = {3, 4};
  options_.lora = {"a b"};
  for (const std::optional<std::string>& negative :
       {std::optional<std::string>(), std::optional<std::string>("")}) {
    options_.negative = negative;
    const dd::Json before = dd::options_to_json(options_);
    const std::string text = dd::cli::config_text("adapt", common_, options_);
    options_ = Sample{};
    common_ = dd::CommonOptions{};
    read(text);
    EXPECT_EQ(dd::options_to_json(options_), before);
    EXPECT_EQ(common_.threads, 3);
  }
}

TEST_F(ConfigFile, AMissingFileIsAnInputError) {
  try {
    dd::cli::read_config(folder_.path() / "none.toml", "adapt", {}, common_, options_);
    FAIL() << "no error";
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
  }
}

}  // namespace
