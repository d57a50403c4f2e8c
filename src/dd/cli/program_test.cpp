// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/program.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <new>
#include <sstream>

#include "dd/cli/commands.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

struct Paint final : dd::Options {
  std::int64_t strokes = 3;
  double width = 0.5;
  bool glossy = true;
  std::string colour = "red";
  std::filesystem::path canvas;
  std::vector<std::string> tools;
  std::vector<std::int64_t> seeds{0};
  std::string fault;
  void visit(dd::FieldVisitor& v) override {
    v.field("strokes", strokes, {.help = "strokes", .low = 1, .high = 9});
    v.field("width", width, {.help = "width"});
    v.field("glossy", glossy, {.help = "gloss"});
    v.field("colour", colour, {.help = "colour", .choices = {"red", "blue"}});
    v.field("canvas", canvas, {.help = "canvas"});
    v.field("tools", tools, {.help = "tools"});
    v.field("seeds", seeds, {.help = "seeds"});
    v.field("fault", fault, {.help = "how to fail"});
  }
};

void paint(const Paint& options, const dd::CommonOptions& common, dd::Context&,
           std::ostream& results) {
  if (options.fault == "input") dd::fail_input("no such canvas");
  if (options.fault == "cancelled") throw dd::Error(dd::ErrorKind::kCancelled, "stopped");
  if (options.fault == "torch") TORCH_CHECK(false, "shapes differ\nby much");
  if (options.fault == "memory") throw std::bad_alloc();
  if (options.fault == "allocator") at::empty({std::int64_t{1} << 50}, at::kByte);
  if (options.fault == "device") {
    TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate 2.00 GiB.\n");
  }
  if (options.fault == "hostile") dd::fail_input("no tensor \x1b[2J\r\n" + std::string(9999, 'a'));
  results << options.strokes << " " << options.width << " " << options.glossy << " "
          << options.colour << " " << options.canvas.string() << " " << options.tools.size() << " "
          << options.seeds.size() << " " << common.seed;
}

struct Outcome {
  int status;
  std::string results;
  std::string messages;
};

Outcome run(const std::vector<std::string>& arguments) {
  std::ostringstream results;
  std::ostringstream messages;
  // A fresh command each time: its options keep what was parsed into them.
  const auto command = dd::cli::make_command<Paint>({.name = "paint",
                                                     .summary = "paints",
                                                     .help = "",
                                                     .needs_out = false,
                                                     .positional = "canvas"},
                                                    paint);
  const int status = dd::cli::run_program(arguments, {command}, results, messages);
  return {status, results.str(), messages.str()};
}

void expect_usage_error(const std::vector<std::string>& arguments, const std::string& part) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 2) << part;
  EXPECT_EQ(outcome.results, "");
  EXPECT_TRUE(outcome.messages.starts_with("datadream: error: ")) << outcome.messages;
  EXPECT_NE(outcome.messages.find(part), std::string::npos) << outcome.messages;
  EXPECT_EQ(outcome.messages.find('\n'), outcome.messages.size() - 1) << outcome.messages;
}

TEST(Program, ParsesEveryKindOfOption) {
  EXPECT_EQ(run({"paint"}).results, "3 0.5 1 red  0 1 0");
  EXPECT_EQ(run({"paint", "wall", "--strokes", "5", "--width=-1e-3", "--no-glossy", "--colour",
                 "blue", "--tools", "a", "--tools", "b,c", "--seeds", "0,1,2", "--seed", "9"})
                .results,
            "5 -0.001 0 blue wall 2 3 9");
}

TEST(Program, NamesWhatIsWrongWithTheCommandLine) {
  expect_usage_error({"paint", "--stroke", "3"},
                     "unknown option --stroke; did you mean --strokes?");
  expect_usage_error({"paint", "--colr=blue"}, "did you mean --colour?");
  expect_usage_error({"paint", "--strokes", "x"}, "--strokes is \"x\", but must be a whole number");
  expect_usage_error({"paint", "--strokes", "3.5"}, "whole number");
  expect_usage_error({"paint", "--width", "1,5"}, "--width is \"1,5\"");
  expect_usage_error({"paint", "--strokes", "10"}, "1 … 9");
  expect_usage_error({"paint", "--strokes"}, "--strokes");
  expect_usage_error({"paint", "--strokes", "1", "--strokes", "2"}, "--strokes");
  expect_usage_error({"paint", "--colour", "green"}, "red, blue");
  expect_usage_error({"paint", "wall", "wall2"}, "unexpected argument \"wall2\"");
  expect_usage_error({"paint", "--device", "tpu"}, "--device");
  expect_usage_error({"pain"}, "did you mean paint?");
  expect_usage_error({"paint", "--config", "none.toml"}, "none.toml");
}

TEST(Program, TurnsFailuresIntoOneLineAndAStatus) {
  expect_usage_error({"paint", "--fault", "input"}, "no such canvas");
  const Outcome torch = run({"paint", "--fault", "torch"});
  EXPECT_EQ(torch.status, 1);
  EXPECT_EQ(torch.messages, "datadream: error: LibTorch: shapes differ by much\n");
  for (const auto& [fault, start] :
       {std::pair("memory", "out of memory"),
        {"allocator", "out of memory"},
        {"device", "out of device memory: CUDA out of memory. Tried"}}) {
    const Outcome memory = run({"paint", "--fault", fault});
    EXPECT_EQ(memory.status, 1);
    EXPECT_TRUE(memory.messages.starts_with(std::string("datadream: error: ") + start))
        << memory.messages;
    EXPECT_NE(memory.messages.find("smaller --batch"), std::string::npos) << memory.messages;
  }
  EXPECT_EQ(run({"paint", "--fault", "cancelled"}).status, 130);
}

TEST(Program, NamesFromFilesCannotDriveTheTerminal) {
  expect_usage_error({"paint", "--fault", "hostile"}, "no tensor ?[2J? aaa");
  EXPECT_LT(run({"paint", "--fault", "hostile"}).messages.size(), 5000U);
}

TEST(Program, TheCommandLineWinsOverTheFile) {
  const dd::test::TemporaryFolder folder;
  const std::string file = (folder.path() / "run.toml").string();
  dd::write_file_atomically(file,
                            "seed = 4\nglossy = false\n[paint]\nstrokes = 8\nseeds = [1, 2]\n");
  EXPECT_EQ(run({"paint", "--config", file}).results, "8 0.5 0 red  0 2 4");
  EXPECT_EQ(run({"paint", "--config", file, "--strokes", "3", "--glossy", "--seeds", "7"}).results,
            "3 0.5 1 red  0 1 4");
}

TEST(Program, SavesTheConfigurationBesideTheResults) {
  const dd::test::TemporaryFolder folder;
  const std::string out = folder.path().string();
  EXPECT_EQ(run({"paint", "--strokes", "6", "--out", out, "--dry-run"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.toml"));
  EXPECT_EQ(run({"paint", "--strokes", "6", "--out", out, "--fault", "input"}).status, 2);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.toml"));
  EXPECT_EQ(run({"paint", "--strokes", "6", "--out", out}).status, 0);
  EXPECT_EQ(run({"paint", "--config", out + "/config.toml"}).results, "6 0.5 1 red  0 1 0");
}

TEST(Program, EveryCommandBindsItsOptions) {
  std::ostringstream results;
  std::ostringstream messages;
  for (const auto& command : dd::cli::all_commands()) {
    dd::CommonOptions common;
    // A field that is named twice, or like a common one, would be refused by the parser.
    try {
      dd::cli::parse_command(command, {}, {command.info.name}, common);
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage) << command.info.name << ": " << error.what();
    }
  }
}

}  // namespace
