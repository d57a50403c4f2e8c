// SPDX-License-Identifier: Apache-2.0
// What holds for every command, whatever it does.
#include <gtest/gtest.h>

#include <filesystem>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

using dd::test::datadream;
using dd::test::is_one_error_line;

TEST(Cli, VersionNamesTheProgramAndLibTorch) {
  const auto result = datadream({"--version"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.out.starts_with("datadream ")) << result.out;
  EXPECT_NE(result.out.find("LibTorch "), std::string::npos);
  EXPECT_EQ(result.err, "");
}

TEST(Cli, CompletionKnowsCommandsFlagsAndChoices) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto result = datadream({"completion", shell});
    EXPECT_EQ(result.status, 0) << result.err;
    for (const char* word : {"adapt", "save-every", "class dataset"})
      EXPECT_NE(result.out.find(word), std::string::npos) << shell << " " << word;
  }
  EXPECT_EQ(datadream({"completion", "csh"}).status, 2);
  const std::string ask = datadream({"completion", "bash"}).out +
                          "COMP_WORDS=(datadream adapt --mode '') COMP_CWORD=3\n"
                          "_datadream_words; echo \"${COMPREPLY[@]}\"";
  const auto answer = dd::test::run_process({"/bin/bash", "-c", ask});
  EXPECT_NE(answer.out.find("class"), std::string::npos) << answer.out << answer.err;
  EXPECT_NE(answer.out.find("dataset"), std::string::npos) << answer.out << answer.err;
  EXPECT_EQ(answer.out.find("--"), std::string::npos) << answer.out;
}

TEST(Cli, HelpListsCommandsAndStatus) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{}, {"--help"}, {"-h"}, {"help"}}) {
    const auto result = datadream(words);
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.out.find("usage: datadream"), std::string::npos);
    EXPECT_NE(result.out.find("Exit status"), std::string::npos);
  }
  EXPECT_FALSE(dd::test::datadream_commands().empty());
}

TEST(Cli, HelpOfACommandIsItsOwn) {
  EXPECT_EQ(datadream({"help", "adapt"}).out, datadream({"adapt", "--help"}).out);
  EXPECT_EQ(datadream({"help", "data", "check"}).out, datadream({"data", "check", "--help"}).out);
  const auto unknown = datadream({"help", "adpat"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(is_one_error_line(unknown.err)) << unknown.err;
}

TEST(Cli, AnAnswerThatIsLostIsNoSuccess) {
  for (const char* words : {"--help", "--version", "completion bash", "adapt --help"}) {
    const std::string line = dd::cat("exec \"$0\" ", words, " > /dev/full");
    const auto result = dd::test::run_process({"/bin/sh", "-c", line, DD_PROGRAM});
    EXPECT_EQ(result.status, 1) << words;
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
  }
}

TEST(Cli, InsideAStepOfSrunTheProgramStillAnswers) {
  const dd::test::ProcessOptions step{
      .environment = {{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}};
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--version"}, {"--help"}, {"adapt", "--help"}}) {
    const auto result = datadream(words, step);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, datadream(words).out);
  }
}

TEST(Cli, EveryCommandExplainsItself) {
  for (const std::string& command : dd::test::datadream_commands()) {
    const auto result = datadream({command, "--help"});
    EXPECT_EQ(result.status, 0) << command;
    EXPECT_EQ(result.err, "") << command;
    EXPECT_TRUE(result.out.starts_with("datadream " + command + ": ")) << result.out;
    EXPECT_NE(result.out.find("--seed"), std::string::npos) << command;
  }
}

TEST(Cli, EveryCommandRefusesAnUnknownOptionAndNamesTheNearest) {
  for (const std::string& command : dd::test::datadream_commands()) {
    const auto result = datadream({command, "--sed", "1"});
    EXPECT_EQ(result.status, 2) << command;
    EXPECT_EQ(result.out, "") << command;
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find("unknown option --sed"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("did you mean --se"), std::string::npos) << result.err;
  }
}

TEST(Cli, EveryCommandRefusesAFaultyConfiguration) {
  const dd::test::TemporaryFolder folder;
  const std::string file = (folder.path() / "run.toml").string();
  dd::write_file_atomically(file, "thread = 1\n");
  for (const std::string& command : dd::test::datadream_commands()) {
    const auto unknown = datadream({command, "--config", file});
    EXPECT_EQ(unknown.status, 2) << command;
    EXPECT_TRUE(is_one_error_line(unknown.err)) << unknown.err;
    EXPECT_NE(unknown.err.find("\"threads\""), std::string::npos) << unknown.err;
    const auto missing = datadream({command, "--config", file + ".gone"});
    EXPECT_EQ(missing.status, 2) << command;
    EXPECT_TRUE(is_one_error_line(missing.err)) << missing.err;
    EXPECT_NE(missing.err.find("run.toml.gone"), std::string::npos) << missing.err;
  }
}

TEST(Cli, EveryPathOptionThatIsRequiredIsAskedFor) {
  for (const std::string& command : dd::test::datadream_commands()) {
    const std::string help = datadream({command, "--help"}).out;
    if (help.find("(required)") == std::string::npos) continue;
    const auto result = datadream({command});
    EXPECT_EQ(result.status, 2) << command;
    EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
    EXPECT_NE(result.err.find(" is missing"), std::string::npos) << result.err;
  }
}

TEST(Cli, AnUnknownCommandNamesTheNearest) {
  const auto commands = dd::test::datadream_commands();
  ASSERT_FALSE(commands.empty());
  const std::string& known = commands.front();
  const auto result = datadream({known + "x"});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(is_one_error_line(result.err)) << result.err;
  EXPECT_NE(result.err.find("did you mean " + known + "?"), std::string::npos) << result.err;
}

TEST(Cli, TheDocsPageIsTheProgramsOwnHelp) {
  const std::string page = dd::read_file(std::filesystem::path(DD_SOURCE_DIR) / "docs" / "cli.md");
  EXPECT_EQ(page, datadream({"help-markdown"}).out) << "run: make docs";
}

}  // namespace
