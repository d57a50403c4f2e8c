// SPDX-License-Identifier: Apache-2.0
// What happens to several ranks when one is stopped, killed, or finds something wrong.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <tuple>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/io/safetensors.h"
#include "support/ranks_case.h"
#include "support/same_picture.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::launch;
using dd::test::on_ranks;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;
using dd::test::Ranks;
using dd::test::results_in;
using dd::test::UnderMpi;
using dd::test::Words;

TEST_F(UnderMpi, WhoWaitsForARankThatIsDoneGivesUp) {
  const ProcessResult result = launch(2, {DD_WAITING_RANKS});
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_NE(result.err.find("one of which has ended its work"), std::string::npos) << result.err;
  EXPECT_GT(result.seconds, 50) << "a slow network is no reason";
}

// As on a node of a cluster where no module of MPI is loaded.
TEST_F(UnderMpi, WithoutItsLibraryTheProgramIsOneProcess) {
  for (const char* library : {"libmpi.so.40", "libmpi.so.12", "libmpich.so.12"}) {
    dd::write_file_atomically(root() / "broken" / library, "");
  }
  ProcessOptions options;
  const char* earlier = std::getenv("LD_LIBRARY_PATH");
  options.environment["LD_LIBRARY_PATH"] =
      path("broken") + (earlier == nullptr ? "" : dd::cat(":", earlier));
  const ProcessResult alone = datadream(complete(drawing(), "one"), options);
  EXPECT_EQ(alone.status, 0) << alone.err;
  options.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  options.environment["OMPI_COMM_WORLD_RANK"] = "0";
  const ProcessResult several = datadream(complete(drawing(), "two"), options);
  expect_one_line(several, 2, "cannot be loaded");
  EXPECT_NE(several.err.find("libmpi"), std::string::npos) << several.err;
  EXPECT_FALSE(fs::exists(root() / "two"));
}

/// In front of the program in `sh -c`: what rank 1 alone does.
const std::string kIfSecond =
    "if [ \"${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-$SLURM_PROCID}}\" = 1 ]; then ";

Words as_script(const std::string& script, const Words& arguments) {
  Words words{"/bin/sh", "-c", script, "sh", DD_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

TEST_F(UnderMpi, ARankThatCannotStartTellsWhy) {
  for (const char* library : {"libmpi.so.40", "libmpi.so.12", "libmpich.so.12"}) {
    dd::write_file_atomically(root() / "broken" / library, "");
  }
  const ProcessResult result =
      launch(2,
             as_script(kIfSecond + "export LD_LIBRARY_PATH=\"$BROKEN:$LD_LIBRARY_PATH\"; fi; "
                                   "exec \"$@\"",
                       complete(drawing(), "out")),
             {.limit_seconds = 60, .environment = {{"BROKEN", path("broken")}}});
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find("cannot be loaded"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(UnderMpi, UnlikeCommandsAreRefused) {
  if (!dd::test::starts_unlike_ranks()) GTEST_SKIP() << "not with this launcher";
  Words other = drawing();
  other.back() = "4";
  expect_one_line(dd::test::on_unlike_ranks({complete(drawing(), "out"), complete(other, "out")}),
                  2, "unlike");
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(UnderMpi, WhatAllFindWrongIsOneLineAndStatusTwo) {
  Words words = adapting("class", "6");
  words[4] = path("nowhere");
  expect_one_line(on_ranks(3, complete(words, "out")), 2, "nowhere");
  EXPECT_FALSE(fs::exists(path("out")));
  expect_one_line(on_ranks(2, {"generate", "--stps", "3"}), 2, "--steps");
  expect_one_line(on_ranks(2, {"inspect", path("photos")}), 2, "works in one process");
}

TEST_F(UnderMpi, ADamagedPictureThatOneFindsLosesNothing) {
  Words words = adapting("class", "3");
  alone(words, "out");
  const auto before = results_in(path("out"));
  // Ranks look at the shots in turns, so this is the second's.
  const dd::Json shots = dd::read_json(root() / "out" / "shots.json").at("images");
  const fs::path picture = root() / "photos" / shots.at(1).at("id").get<std::string>();
  ASSERT_TRUE(fs::exists(picture)) << picture;
  dd::write_file_atomically(picture, dd::read_file(picture).substr(0, 40));
  words.emplace_back("--force");
  expect_one_line(on_ranks(2, complete(words, "out")), 2, picture.filename().string());
  EXPECT_EQ(results_in(path("out")), before);
}

TEST_F(UnderMpi, WhatOneFindsWrongEndsAll) {
  alone(adapting("class", "3"), "adapters");
  Words words = drawing();
  words.insert(words.end(), {"--adapters", path("adapters")});
  alone(words, "good");
  const auto good = results_in(path("good"));
  for (const char* name : {"red_top", "green_bag", "blue_coat"}) {
    const fs::path file = root() / "adapters" / name / "pytorch_lora_weights.safetensors";
    const std::string whole = dd::read_file(file);
    dd::write_file_atomically(file, whole.substr(0, whole.size() / 2));
    expect_one_line(on_ranks(3, complete(words, name)), 2, "pytorch_lora_weights.safetensors");
    dd::write_file_atomically(file, whole);
    for (const auto& [image, hash] : results_in(path(name))) {
      if (!image.ends_with(".png")) continue;
      EXPECT_EQ(hash, good.at(image)) << "not whole";
    }
  }
}

/// What is there after a stop is whole; launchers differ in the status that they end with.
TEST_F(UnderMpi, AStopOfTheLauncherLeavesWholeFilesAndTheRestIsDoneLater) {
  Words draw = drawing();
  draw[6] = "30";
  for (const Words& words : {adapting("class", "240"), draw}) {
    const std::string& name = words.front();
    alone(words, name + "-one");
    const auto whole = results_in(path(name + "-one"));
    on_ranks(2, complete(words, name), {.signal = SIGTERM, .signal_after_text = name + " "});
    for (const auto& [file, hash] : results_in(path(name))) {
      const bool is_result = file.ends_with(".png") || file.ends_with("weights.safetensors");
      EXPECT_TRUE(!is_result || hash == whole.at(file)) << file;
    }
    together(2, words, name);
    EXPECT_EQ(results_in(path(name)), whole);
  }
}

/// What a launcher does not do: one rank alone is asked to stop.
TEST_F(UnderMpi, AStopOfOneRankStopsAllWithStatus130) {
  const std::string script =
      kIfSecond +
      "\"$@\" & p=$!; until [ -e \"$BEGUN\" ]; do sleep 0.1; done; kill -TERM $p; wait $p; else "
      "exec \"$@\"; fi";
  for (const std::string mode : {"class", "dataset"}) {
    const Words words = as_script(script, complete(adapting(mode, "100000"), mode));
    const ProcessResult result =
        launch(2, words, {.environment = {{"BEGUN", path(mode) + "/adapt.json"}}});
    expect_one_line(result, 130, "stopped");
    for (const auto& entry : fs::recursive_directory_iterator(path(mode))) {
      if (entry.path().filename() != "adapter-state.safetensors") continue;
      EXPECT_GT(dd::io::SafetensorsFile(entry.path()).entries().size(), 0U);
    }
  }
}

/// A machine that is taken away: one rank is killed, and the launcher ends the other.
TEST_F(UnderMpi, AKilledRankLeavesWholeFilesAndTheRestIsDoneLater) {
  const std::string script =
      kIfSecond +
      "\"$@\" & p=$!; until [ -e \"$BEGUN\" ] || ! kill -0 $p; do sleep 0.02; done; kill -KILL $p; "
      "wait $p; else exec \"$@\"; fi";
  Words draw = drawing();
  draw[6] = "40";
  const std::vector<std::tuple<Words, std::string>> cases{
      {draw, "generate.json"},
      {draw, "green_bag/00004.png"},
      {adapting("class", "120"), "adapt.json"},
      {adapting("dataset", "60"), "adapter-state.safetensors"},
      {training(), "training_state.safetensors"}};
  std::set<std::string> compared;
  for (const auto& [words, begun] : cases) {
    const std::string& name = words.front();
    const std::string whole = dd::cat(name, "-whole-", begun.ends_with(".safetensors"));
    if (compared.insert(whole).second) together(2, words, whole);
    const Words killed = as_script(script, complete(words, name));
    const ProcessResult result =
        launch(2, killed, {.environment = {{"BEGUN", path(name) + "/" + begun}}});
    EXPECT_NE(result.status, 0) << "done before it was killed: " << begun;
    // The lock tells what the temporary files of both end in.
    std::istringstream lock(dd::read_file(root() / name / ".lock"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(lock, line);) lines.push_back(line);
    ASSERT_EQ(lines.size(), 3U);
    for (const std::string& ending : {lines[1], lines[2]})
      dd::write_file_atomically(root() / name / ("half.png" + ending), "half");
    together(2, words, name);
    EXPECT_EQ(results_in(path(name)), results_in(path(whole))) << begun;
    for (const auto& entry : fs::recursive_directory_iterator(root() / name)) {
      EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
      EXPECT_NE(entry.path().filename(), ".lock");
    }
    fs::remove_all(root() / name);
  }
}

TEST_F(Ranks, AProgramWithoutMpiRefusesToBeSeveralProcesses) {
  if (dd::test::has_mpi()) GTEST_SKIP() << "built with MPI";
  const dd::test::ProcessOptions first{
      .environment = {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "0"}}};
  const ProcessResult result = datadream(complete(drawing(), "out"), first);
  expect_one_line(result, 2, "built without MPI");
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
