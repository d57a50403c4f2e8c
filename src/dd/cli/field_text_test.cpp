// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/field_text.h"

#include <gtest/gtest.h>

#include "dd/cli/help.h"

namespace {

struct Sample final : dd::Options {
  std::int64_t rank = 16;
  double rate = 1e-4;
  bool flip = true;
  bool fast = false;
  std::string mode = "class";
  std::string prompt = "a photo of a {}";
  std::filesystem::path model;
  std::vector<std::int64_t> seeds{0, 1};
  void visit(dd::FieldVisitor& v) override {
    v.field("rank", rank, {.help = "LoRA rank", .low = 1, .high = 1024});
    v.field("rate", rate, {.help = "peak rate", .low = 0});
    v.field("flip", flip, {.help = "mirror images"});
    v.field("fast", fast, {.help = "hurry"});
    v.field("mode", mode, {.help = "how", .choices = {"class", "dataset"}});
    v.field("prompt", prompt, {.help = "text"});
    v.field("model", model, {.help = "folder", .required = true});
    v.field("seeds", seeds, {.help = "runs"});
  }
};

dd::cli::FieldText field(const std::string& name) {
  for (const auto& text : dd::cli::describe(Sample{})) {
    if (text.name == name) return text;
  }
  ADD_FAILURE() << name << " is not described";
  return {};
}

TEST(FieldText, SaysRangeAndDefault) {
  EXPECT_EQ(sentence(field("rank")), "LoRA rank (1 … 1024; default 16)");
  EXPECT_EQ(field("rank").flag, "--rank N");
  EXPECT_EQ(sentence(field("rate")), "peak rate (at least 0; default 0.0001)");
  EXPECT_EQ(sentence(field("model")), "folder (required)");
  EXPECT_EQ(sentence(field("prompt")), "text (default \"a photo of a {}\")");
  EXPECT_EQ(sentence(field("seeds")), "runs (default 0,1)");
}

TEST(FieldText, ShowsChoicesAndSwitches) {
  EXPECT_EQ(field("mode").flag, "--mode class|dataset");
  EXPECT_EQ(field("flip").flag, "--[no-]flip");
  EXPECT_EQ(field("fast").flag, "--fast");
  EXPECT_EQ(sentence(field("fast")), "hurry");
}

TEST(FieldText, WritesNumbersShortAndWithoutLoss) {
  EXPECT_EQ(dd::cli::number_text(16), "16");
  EXPECT_EQ(dd::cli::number_text(0.8), "0.8");
  EXPECT_EQ(dd::cli::number_text(1e7), "10000000");
  EXPECT_EQ(dd::cli::number_text(-2.5), "-2.5");
  EXPECT_EQ(dd::cli::number_text(1e-8), "1e-08");
  EXPECT_EQ(std::stod(dd::cli::number_text(1.0 / 3)), 1.0 / 3);
}

TEST(Help, CommandHelpNamesEveryOptionWithinTheColumns) {
  const auto command = dd::cli::make_command<Sample>(
      {.name = "paint", .summary = "paints", .help = "Reads DIR.", .positional = "model"},
      [](const Sample&, const dd::CommonOptions&, dd::Context&, std::ostream&) {});
  const std::string help = dd::cli::command_help(command);
  EXPECT_NE(help.find("usage: datadream paint MODEL [OPTION]… --out DIR"), std::string::npos);
  for (const auto& options :
       {dd::cli::describe(Sample{}), dd::cli::describe(dd::CommonOptions{})}) {
    for (const auto& text : options) {
      EXPECT_NE(help.find("  " + text.flag), std::string::npos) << text.flag;
    }
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

TEST(Help, MarkdownKeepsBarsInsideTheirCell) {
  const auto command = dd::cli::make_command<Sample>(
      {.name = "paint", .summary = "paints", .help = ""},
      [](const Sample&, const dd::CommonOptions&, dd::Context&, std::ostream&) {});
  const std::string page = dd::cli::help_markdown({command});
  EXPECT_NE(page.find("| `--mode class\\|dataset` | how (default class) |"), std::string::npos)
      << page;
}

}  // namespace
