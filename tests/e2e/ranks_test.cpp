// SPDX-License-Identifier: Apache-2.0
// Several ranks under mpirun, or shards one after the other, give what one process gives.
#include <ATen/TensorOperators.h>
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
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/mpirun.h"
#include "support/same_picture.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::launch;
using dd::test::on_ranks;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;
using Words = std::vector<std::string>;

/// Files whose bytes must agree; records in JSON hold seconds.
std::map<std::string, std::string> results_in(const fs::path& out) {
  static const std::set<std::string> kCompared{".safetensors", ".png", ".npy",
                                               ".jsonl",       ".csv", ".txt"};
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (entry.is_regular_file() && kCompared.contains(entry.path().extension()))
      files[fs::relative(entry.path(), out).string()] = dd::sha256_of_file(entry.path());
  }
  return files;
}

/// The largest difference of two files of tensors of the same names, by the largest value.
double difference(const fs::path& one, const fs::path& other) {
  const dd::io::SafetensorsFile first(one);
  const dd::io::SafetensorsFile second(other);
  EXPECT_EQ(first.entries().size(), second.entries().size());
  double worst = 0;
  for (const auto& entry : first.entries()) {
    const at::Tensor value = first.tensor(entry.name);
    const double gap = (value - second.tensor(entry.name)).abs().max().item<double>();
    worst = std::max(worst, gap / value.abs().max().item<double>());
  }
  return worst;
}

class Ranks : public testing::Test {
 protected:
  Ranks() {
    dd::test::write_colour_set(root() / "images", 6, 1);
    for (const char* split : {"train", "val", "test"})
      dd::test::write_colour_set(root() / "photos" / split, 4, *split == 'v' ? 3 : *split);
  }
  fs::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  static std::string model(const std::string& name) {
    return std::string(DD_SOURCE_DIR) + "/tests/oracle/models/" + name;
  }
  Words complete(Words words, const std::string& out) const {
    words.insert(words.end(),
                 {"--device", "cpu", "--dtype", "f32", "--threads", "1", "--out", path(out)});
    return words;
  }
  void alone(const Words& words, const std::string& out) const {
    const ProcessResult result = datadream(complete(words, out));
    ASSERT_EQ(result.status, 0) << result.err;
  }
  void together(int ranks, const Words& words, const std::string& out) const {
    const ProcessResult result = on_ranks(ranks, complete(words, out));
    ASSERT_EQ(result.status, 0) << result.err;
  }
  Words adapting(const std::string& mode, const std::string& steps) const {
    return {"adapt",   "--model", model("sd1"), "--data",       path("photos"),
            "--shots", "2",       "--mode",     mode,           "--steps",
            steps,     "--batch", "3",          "--save-every", "2"};
  }
  Words drawing() const {
    return {"generate", "--model", model("sd1"), "--classes", path("photos"), "--per-class", "5",
            "--batch",  "2",       "--steps",    "3"};
  }
  Words training() const {
    return {"train",
            "--clip",
            model("clip"),
            "--synthetic",
            path("images"),
            "--real",
            path("photos"),
            "--shots",
            "3",
            "--batch",
            "7",
            "--steps",
            "12",
            "--rank",
            "4",
            "--mix",
            "0.5",
            "--val",
            path("photos"),
            "--validate-every",
            "5",
            "--choose",
            "best",
            "--save-every",
            "4"};
  }
  /// Status and the one line of the program itself.
  static void expect_one_line(const ProcessResult& result, int status, const std::string& part) {
    EXPECT_EQ(result.status, status) << result.err;
    const std::vector<std::string> lines = dd::test::own_lines(result.err);
    ASSERT_EQ(lines.size(), 1U) << result.err;
    EXPECT_NE(lines[0].find(part), std::string::npos) << lines[0];
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

class UnderMpi : public Ranks {
 protected:
  void SetUp() override {
    if (dd::test::has_mpi()) return;
    if (std::string(DD_MPI_WANTED) == "OFF") GTEST_SKIP() << "built without MPI, as asked for";
    FAIL() << "MPI was not found: install libopenmpi-dev and openmpi-bin, or configure with "
              "-DDATADREAM_MPI=OFF";
  }
};

TEST_F(UnderMpi, GenerateDrawsTheSameImagesWithTheSameRecords) {
  alone(drawing(), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, drawing(), out);
    EXPECT_EQ(results_in(path(out)), results_in(path("one"))) << ranks << " ranks";
  }
  EXPECT_EQ(results_in(path("one")).size(), 16U);
}

TEST_F(UnderMpi, AdaptersOfClassesAreTheSameBytes) {
  alone(adapting("class", "12"), "one");
  together(2, adapting("class", "12"), "two");
  EXPECT_EQ(results_in(path("two")), results_in(path("one")));
  EXPECT_EQ(dd::read_file(path("two") + "/shots.json"), dd::read_file(path("one") + "/shots.json"));
  const ProcessResult again = on_ranks(2, complete(adapting("class", "12"), "two"));
  EXPECT_NE(again.out.find("adapters 0  skipped 3"), std::string::npos) << again.out;
  // Rank 0 alone finds this, while the other waits for it.
  Words other = adapting("class", "12");
  other.insert(other.end(), {"--rank", "5"});
  expect_one_line(on_ranks(2, complete(other, "two")), 2, "other settings");
}

TEST_F(UnderMpi, AdaptersTrainedInGroupsAreTheSameBytes) {
  Words words = adapting("class", "12");
  words.insert(words.end(), {"--adapters-per-batch", "2"});
  alone(words, "one");
  together(2, words, "two");
  EXPECT_EQ(results_in(path("two")), results_in(path("one")));
}

TEST_F(UnderMpi, OneAdapterOfAllIsTheSameToFloatTolerance) {
  const std::string file = "/pytorch_lora_weights.safetensors";
  alone(adapting("dataset", "8"), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, adapting("dataset", "8"), out);
    // Adam makes whole steps of gradients that are near to rounding errors.
    EXPECT_LT(difference(path("one") + file, path(out) + file), 1e-3) << ranks << " ranks";
    const dd::Json one = dd::read_json(path("one") + "/adapter.json");
    const dd::Json other = dd::read_json(path(out) + "/adapter.json");
    EXPECT_EQ(one.at("loss").size(), other.at("loss").size());
    EXPECT_NEAR(one.at("loss").at(0).at(1), other.at("loss").at(0).at(1), 1e-5);
    EXPECT_NEAR(one.at("fixed_noise_loss").back().at(1), other.at("fixed_noise_loss").back().at(1),
                1e-5);
  }
}

TEST_F(UnderMpi, ATrainingBegunByOneIsEndedByTwo) {
  const std::string file = "/pytorch_lora_weights.safetensors";
  const Words words = adapting("dataset", "60");
  const ProcessResult first =
      datadream(complete(words, "part"), {.signal = SIGTERM, .signal_after_text = "adapt 1/"});
  ASSERT_EQ(first.status, 130) << first.err;
  ASSERT_TRUE(fs::exists(path("part") + "/adapter-state.safetensors"));
  const ProcessResult second = on_ranks(2, complete(words, "part"));
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_NE(second.err.find("resumed at step"), std::string::npos) << second.err;
  alone(words, "one");
  EXPECT_LT(difference(path("one") + file, path("part") + file), 1e-3);
}

TEST_F(UnderMpi, AClassifierIsTheSameToFloatTolerance) {
  alone(training(), "one");
  for (const int ranks : {2, 3, 4}) {
    const std::string out = "by-" + std::to_string(ranks);
    together(ranks, training(), out);
    const std::string file = "/adapter_model.safetensors";
    EXPECT_LT(difference(path("one") + file, path(out) + file), 1e-4) << ranks << " ranks";
    const dd::Json one = dd::read_json(path("one") + "/classifier.json");
    const dd::Json other = dd::read_json(path(out) + "/classifier.json");
    for (const char* key : {"identity", "chosen_step", "validation_top1"})
      EXPECT_EQ(one.at(key), other.at(key)) << key;
    EXPECT_FALSE(fs::exists(path(out) + "/training_state.safetensors"));
  }
}

TEST_F(UnderMpi, ScoresAndFeaturesAreTheSameBytes) {
  const Words scoring{"evaluate", "--clip", model("clip"), "--data", path("photos"),
                      "--batch",  "5"};
  const Words comparing{"align",
                        "--clip",
                        model("clip"),
                        "--real",
                        path("photos"),
                        "--synthetic",
                        path("images"),
                        "--bootstrap",
                        "5",
                        "--batch",
                        "4"};
  for (const Words& words : {scoring, comparing}) {
    const std::string& name = words.front();
    alone(words, name + "-one");
    together(3, words, name + "-three");
    EXPECT_EQ(results_in(path(name + "-three")), results_in(path(name + "-one"))) << name;
    dd::Json one = dd::read_json(path(name + "-one") + "/metrics.json");
    dd::Json three = dd::read_json(path(name + "-three") + "/metrics.json");
    one.erase("seconds");
    three.erase("seconds");
    EXPECT_EQ(one, three) << name;
  }
}

// A network disk may show one rank what was there a minute ago: rank 0 decides for all.
TEST_F(UnderMpi, RanksThatSeeAnotherFolderDoAsTheFirstDoes) {
  if (!dd::test::starts_unlike_ranks()) GTEST_SKIP() << "not with this launcher";
  const std::map<std::string, Words> stages{
      {"evaluate", {"evaluate", "--clip", model("clip"), "--data", path("photos")}},
      {"align",
       {"align", "--clip", model("clip"), "--real", path("photos"), "--synthetic", path("images"),
        "--bootstrap", "2"}},
      {"train", training()}};
  for (const auto& [name, words] : stages) {
    alone(words, name + "-done");
    const auto expected = results_in(path(name + "-done"));
    const auto mixed = [&](const std::string& first, const std::string& second) {
      const ProcessResult result = dd::test::on_unlike_ranks(
          {complete(words, first), complete(words, second)}, {.limit_seconds = 60});
      EXPECT_EQ(result.status, 0) << name << ": " << result.err;
    };
    // The first sees a finished stage, the other nothing; then the other way round.
    mixed(name + "-done", name + "-empty");
    EXPECT_FALSE(fs::exists(root() / (name + "-empty") / "metrics.json"));
    mixed(name + "-fresh", name + "-done");
    EXPECT_EQ(results_in(path(name + "-done")), expected);
    EXPECT_FALSE(results_in(path(name + "-fresh")).empty());
  }
}

TEST_F(UnderMpi, ARankThatSeesTheSetLateWaits) {
  if (!dd::test::starts_unlike_ranks()) GTEST_SKIP() << "not with this launcher";
  alone(drawing(), "whole");
  const fs::path late = root() / "late";
  std::thread disk([&] {
    const fs::path record = root() / "early" / "generate.json";
    for (int i = 0; i < 1000 && !fs::exists(record); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    if (fs::exists(record)) {
      dd::write_file_atomically(late / "generate.json", dd::read_file(record));
    }
  });
  const ProcessResult result = dd::test::on_unlike_ranks(
      {complete(drawing(), "early"), complete(drawing(), "late")}, {.limit_seconds = 100});
  disk.join();
  EXPECT_EQ(result.status, 0) << result.err;
  auto drawn = results_in(root() / "early");
  drawn.merge(results_in(late));
  for (const auto& [name, hash] : results_in(root() / "whole")) {
    EXPECT_TRUE(!name.ends_with(".png") || drawn.contains(name)) << name;
  }
}

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
      "if [ \"${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-$SLURM_PROCID}}\" = 1 ]; then \"$@\" & "
      "p=$!; until [ -e \"$BEGUN\" ]; do sleep 0.1; done; kill -TERM $p; wait $p; else exec "
      "\"$@\"; fi";
  for (const std::string mode : {"class", "dataset"}) {
    Words words{"/bin/sh", "-c", script, "sh", DD_PROGRAM};
    const Words arguments = complete(adapting(mode, "100000"), mode);
    words.insert(words.end(), arguments.begin(), arguments.end());
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
      "if [ \"${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-$SLURM_PROCID}}\" = 1 ]; then \"$@\" & "
      "p=$!; until [ -e \"$BEGUN\" ] || ! kill -0 $p; do sleep 0.02; done; kill -KILL $p; wait $p; "
      "else exec "
      "\"$@\"; fi";
  Words draw = drawing();
  draw[6] = "40";
  const std::vector<std::tuple<Words, std::string>> cases{
      {draw, "generate.json"},
      {draw, "green_bag/00004.png"},
      {adapting("class", "120"), "adapt.json"},
      {adapting("dataset", "60"), "adapter-state.safetensors"}};
  std::set<std::string> compared;
  for (const auto& [words, begun] : cases) {
    const std::string& name = words.front();
    const std::string whole = dd::cat(name, "-whole-", begun.ends_with(".safetensors"));
    if (compared.insert(whole).second) together(2, words, whole);
    Words killed{"/bin/sh", "-c", script, "sh", DD_PROGRAM};
    const Words arguments = complete(words, name);
    killed.insert(killed.end(), arguments.begin(), arguments.end());
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

TEST_F(Ranks, ShardsAreCopiedTogether) {
  for (const auto& [name, words] :
       {std::pair{"set", drawing()}, std::pair{"adapters", adapting("class", "6")}}) {
    alone(words, std::string(name) + "-whole");
    fs::create_directories(root() / name);
    const auto merged = root() / name;
    std::size_t files = 0;
    for (const char* shard : {"1/2", "2/2"}) {
      Words own = words;
      own.insert(own.end(), {"--shard", shard});
      const std::string out = dd::cat(name, "-", shard[0]);
      alone(own, out);
      files += results_in(path(out)).size();
      fs::copy(path(out), merged,
               fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }
    const auto whole = results_in(path(std::string(name) + "-whole"));
    EXPECT_EQ(files, whole.size() + 1) << "each has the file of names; no image is drawn twice";
    const ProcessResult last = datadream(complete(words, name));
    ASSERT_EQ(last.status, 0) << last.err;
    const std::string nothing =
        words.front() == "generate" ? "0 images drawn, 15 were there" : "adapters 0  skipped 3";
    EXPECT_NE(last.out.find(nothing), std::string::npos) << last.out;
    // The end of a part may divide a batch, which changes the last bits.
    for (const auto& [file, hash] : whole) {
      if (file.ends_with(".png")) {
        const dd::Image drawn = dd::read_image(merged / file);
        const dd::Image whole_one = dd::read_image(root() / (std::string(name) + "-whole") / file);
        EXPECT_LE(dd::test::largest_difference(drawn, whole_one), 1) << file;
      } else {
        EXPECT_EQ(results_in(merged).at(file), hash) << file;
      }
    }
    EXPECT_EQ(results_in(merged).size(), whole.size());
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
