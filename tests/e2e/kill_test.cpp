// SPDX-License-Identifier: Apache-2.0
// Every stage, killed at random moments and called again until it is done, ends in the same files
// as undisturbed. DATADREAM_KILLS=N asks for at least N kills of each stage.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/core/seeds.h"
#include "support/datadream.h"
#include "support/lora_gap.h"
#include "support/stage_cases.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;
using dd::test::StageCases;
using dd::test::Words;

int kills_wanted() {
  const char* const text = std::getenv("DATADREAM_KILLS");
  return text == nullptr ? 5 : std::max(1, std::atoi(text));
}

/// Times and memory differ between any two runs.
dd::Json without_costs(const dd::Json& json) {
  dd::Json kept = json;
  for (const char* cost : {"seconds", "peak_memory"}) {
    if (kept.is_object()) kept.erase(cost);
  }
  if (kept.is_structured()) {
    for (dd::Json& item : kept) item = without_costs(item);
  }
  return kept;
}

/// What must agree, by name. Event files hold times, and so do the states that `pretrain` keeps,
/// the report and the table of a sweep, whose other content is in other files too.
std::map<std::string, std::string> results_in(const fs::path& out) {
  static const std::set<std::string> kWithTimes{"report.html", "sweep.csv",
                                                "events.out.tfevents.datadream"};
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const bool has_times = kWithTimes.contains(entry.path().filename()) ||
                           entry.path().parent_path().filename() == "state";
    if (!entry.is_regular_file() || has_times) continue;
    std::string& content = files[fs::relative(entry.path(), out).string()];
    if (entry.path().extension() != ".json") {
      content = dd::sha256_of_file(entry.path());
      continue;
    }
    dd::Json json = without_costs(dd::read_json(entry.path()));
    // It stands for the files that the points come from, with the times in them.
    if (entry.path().filename() == "projection.json") json.erase("identity");
    content = json.dump();
  }
  return files;
}

std::string difference(const std::map<std::string, std::string>& files,
                       const std::map<std::string, std::string>& expected) {
  std::string text;
  for (const auto& [name, content] : files) {
    const auto same = expected.find(name);
    if (same == expected.end()) text += "left over: " + name + "\n";
    if (same != expected.end() && same->second != content)
      text += dd::cat("differs: ", name, "\n  ", content, "\n  ", same->second, "\n");
  }
  for (const auto& [name, content] : expected)
    if (!files.contains(name)) text += "missing: " + name + "\n";
  return text;
}

/// Seconds until main is reached: until then nothing is done that a kill could disturb.
double start_up_seconds(bool measure = false) {
  static double least = 1e9;
  // Again and again, since other tests may keep the machine busy at one moment.
  if (measure || least == 1e9) least = std::min(least, datadream({"--version"}).seconds);
  return least;
}

class Kill : public testing::Test {
 protected:
  fs::path root() const { return cases_.root(); }
  fs::path out() const { return root() / "out"; }
  std::string path(const std::string& name) const { return cases_.path(name); }
  static std::string model(const std::string& name) { return StageCases::model(name); }

  Words complete(const Words& words) const {
    return StageCases::complete(words, out().string(), threads_);
  }

  /// Calls the stage undisturbed, then with kills, and compares. Always in the same folder, since
  /// some files name it.
  void expect_same_files(const Words& stage) { expect_same_files(std::vector<Words>{stage}); }

  /// The same of stages that write into one folder, one after the other.
  void expect_same_files(const std::vector<Words>& stages) {
    std::vector<double> seconds;
    for (const Words& stage : stages) {
      start_up_seconds(/*measure=*/true);
      const ProcessResult whole = datadream(complete(stage));
      ASSERT_EQ(whole.status, 0) << whole.err;
      seconds.push_back(whole.seconds);
    }
    const auto expected = results_in(out());
    ASSERT_FALSE(expected.empty());
    dd::Random random(dd::mix_seed(7, stages.front().front()));
    int kills = 0;
    for (int round = 0; kills < kills_wanted(); ++round) {
      ASSERT_LT(round, 20 + 5 * kills_wanted()) << "it is always done before it is killed";
      fs::remove_all(out());
      for (std::size_t i = 0; i < stages.size(); ++i) {
        kills += finish_with_kills(complete(stages[i]), seconds[i], random);
        if (HasFatalFailure()) return;
      }
      EXPECT_EQ(difference(results_in(out()), expected), "") << "round " << round;
    }
    std::cout << stages.front().front() << ": " << kills << " kills\n";
  }

  /// A signal, or an impatient user's two, at a moment while the stage works.
  static ProcessOptions random_kill(double seconds, dd::Random& random) {
    const double share = static_cast<double>(random.below(1000)) / 1000;
    ProcessOptions kill;
    // Some during start-up.
    const double start = random.below(4) == 0 ? 0 : start_up_seconds();
    kill.signal_after_seconds = start + share * std::max(0.0, seconds - start);
    switch (random.below(4)) {
      case 0:
        kill.signal = SIGINT;
        break;
      case 1:
        kill.signal = SIGTERM;
        break;
      case 2:
        kill.signal = SIGINT;
        kill.then_signal = SIGTERM;
        break;
      default:
        kill.signal = SIGKILL;
    }
    return kill;
  }

  /// Calls it until it is done and returns the number of kills. The last call is left alone when
  /// luck does not help.
  static int finish_with_kills(const Words& words, double seconds, dd::Random& random) {
    constexpr int kMost = 6;
    int kills = 0;
    for (; kills < kMost; ++kills) {
      const ProcessOptions kill = random_kill(seconds, random);
      const ProcessResult result = datadream(words, kill);
      if (result.status == 0) return kills;
      // While the system still loads the program no one can hold the signals.
      const bool early = result.status == 128 + kill.signal && result.err.empty() &&
                         kill.signal_after_seconds < 2 * start_up_seconds();
      const int stopped = kill.signal == SIGKILL ? 128 + SIGKILL : 130;
      EXPECT_TRUE(early || result.status == stopped) << result.status << ": " << result.err;
    }
    const ProcessResult last = datadream(words);
    EXPECT_EQ(last.status, 0) << last.err;
    return kills;
  }

  StageCases cases_;
  std::string threads_ = "1";
};

TEST_F(Kill, AdaptByClass) {
  expect_same_files(cases_.words("adapt"));
}

TEST_F(Kill, AdaptByDataset) {
  for (const char* threads : {"1", "2"}) {
    threads_ = threads;
    fs::remove_all(out());
    expect_same_files({"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2",
                       "--mode", "dataset", "--steps", "12", "--batch", "2", "--save-every", "3"});
  }
}

// A kill while a group writes its states divides it: the same, then, but for rounding.
TEST_F(Kill, AdaptInGroups) {
  const Words words = complete({"adapt", "--model", model("sd1"), "--data", path("photos"),
                                "--shots", "2", "--mode", "class", "--adapters-per-batch", "2",
                                "--steps", "6", "--batch", "2", "--save-every", "2"});
  const ProcessResult whole = datadream(words);
  ASSERT_EQ(whole.status, 0) << whole.err;
  fs::rename(out(), root() / "whole");
  dd::Random random(17);
  int kills = 0;
  for (int round = 0; kills < kills_wanted(); ++round) {
    ASSERT_LT(round, 20 + 5 * kills_wanted()) << "it is always done before it is killed";
    fs::remove_all(out());
    kills += finish_with_kills(words, whole.seconds, random);
    for (const auto& entry : fs::recursive_directory_iterator(root() / "whole")) {
      const fs::path own = out() / fs::relative(entry.path(), root() / "whole");
      ASSERT_TRUE(fs::exists(own)) << own;
      if (own.extension() == ".safetensors") {
        EXPECT_LT(dd::test::lora_gap(own, entry.path()), dd::test::kRoundingGap) << own;
      }
    }
    for (const auto& entry : fs::recursive_directory_iterator(out())) {
      const fs::path name = fs::relative(entry.path(), out());
      EXPECT_TRUE(fs::exists(root() / "whole" / name)) << name << " is left over";
    }
  }
  std::cout << "adapt in groups: " << kills << " kills\n";
}

TEST_F(Kill, Generate) {
  expect_same_files({"generate", "--model", model("sd1"), "--classes", path("photos"),
                     "--per-class", "4", "--steps", "3", "--batch", "2"});
}

TEST_F(Kill, Train) {
  expect_same_files(cases_.words("train"));
}

TEST_F(Kill, GenerateFromShotsWithAdapters) {
  const Words adapting{
      "adapt",  "--model", model("sd1"),    "--data", path("photos"), "--shots", "1",
      "--mode", "class",   "--steps",       "1",      "--batch",      "1",       "--device",
      "cpu",    "--out",   path("adapters")};
  ASSERT_EQ(datadream(adapting).status, 0);
  expect_same_files({"generate", "--model", model("sd1"), "--classes", path("photos"), "--adapters",
                     path("adapters"), "--from-shots", path("adapters") + "/shots.json",
                     "--per-class", "4", "--steps", "6", "--batch", "2"});
}

TEST_F(Kill, TrainWithChosenLambdaAndStep) {
  expect_same_files({"train",
                     "--clip",
                     model("clip"),
                     "--synthetic",
                     path("images"),
                     "--real",
                     path("photos"),
                     "--shots",
                     "3",
                     "--batch",
                     "6",
                     "--steps",
                     "12",
                     "--rank",
                     "4",
                     "--val",
                     path("photos"),
                     "--lambdas",
                     "0.2",
                     "0.8",
                     "--choose",
                     "best",
                     "--validate-every",
                     "3",
                     "--save-every",
                     "5"});
}

TEST_F(Kill, Evaluate) {
  expect_same_files(cases_.words("evaluate"));
}

TEST_F(Kill, Align) {
  expect_same_files(cases_.words("align"));
}

TEST_F(Kill, Run) {
  expect_same_files(cases_.words("run"));
}

TEST_F(Kill, Sweep) {
  expect_same_files({"sweep",
                     "--model",
                     model("sd1"),
                     "--clip",
                     model("clip"),
                     "--data",
                     path("photos"),
                     "--shots",
                     "1,2",
                     "--per-class",
                     "2",
                     "--methods",
                     "zero-shot,real,synthetic",
                     "--mode",
                     "dataset",
                     "--adapt-steps",
                     "2",
                     "--adapt-batch",
                     "2",
                     "--sample-steps",
                     "2",
                     "--classifier-steps",
                     "2",
                     "--classifier-batch",
                     "4"});
}

TEST_F(Kill, PartsOfASweep) {
  std::vector<Words> parts;
  for (const char* shard : {"1/2", "2/2"}) {
    parts.push_back({"sweep", "--model", model("sd1"), "--clip", model("clip"), "--data",
                     path("photos"), "--shots", "1,2", "--methods", "zero-shot,real",
                     "--classifier-steps", "4", "--classifier-batch", "4", "--shard", shard});
  }
  expect_same_files(parts);
}

TEST_F(Kill, Pretrain) {
  const std::string data = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(data)) GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const auto part = [&](const std::string& name) {
    return Words{"pretrain", "--part", name, "--" + name + "-steps", "20", "--data", data};
  };
  expect_same_files(part("judge"));
  fs::remove_all(out());
  expect_same_files(std::vector{part("vae"), part("clip")});
}

// Its folder comes first and its file last: without the file, the same command starts over.
TEST_F(Kill, ASingleFileWithItsFolder) {
  const fs::path file = out() / "model.safetensors";
  const Words words{"convert", model("sd1"), "--to", "single-file", "--out", file.string()};
  const ProcessResult whole = datadream(words);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const auto expected = results_in(out());
  dd::Random random(13);
  int kills = 0;
  for (int round = 0; kills < kills_wanted(); ++round) {
    ASSERT_LT(round, 20 + 5 * kills_wanted()) << "it is always done before it is killed";
    fs::remove_all(out());
    ProcessResult result = datadream(words, random_kill(whole.seconds, random));
    kills += result.status != 0 ? 1 : 0;
    if (!fs::exists(file)) result = datadream(words);
    ASSERT_TRUE(fs::exists(file)) << result.err;
    auto found = results_in(out());
    // A kill right after the file leaves the mark and the lock, which block nobody.
    for (const char* left : {"model/.unfinished", ".model.safetensors.lock"}) found.erase(left);
    EXPECT_EQ(difference(found, expected), "");
  }
  std::cout << "convert to a file: " << kills_wanted() << " kills\n";
  // The moment between the two, and what is no such moment.
  fs::remove_all(out());
  ASSERT_EQ(datadream(words).status, 0);
  fs::remove(file);
  EXPECT_EQ(datadream(words).status, 2) << "a folder that someone may have put there";
  dd::write_file_atomically(out() / "model/.unfinished", "");
  ASSERT_EQ(datadream(words).status, 0);
  EXPECT_EQ(difference(results_in(out()), expected), "");
}

TEST_F(Kill, AModelThatIsReplacedIsAlwaysWhole) {
  const auto converting = [&](const char* dtype) {
    return Words{"convert", model("sd1"), "--to",  "diffusers",
                 "--dtype", dtype,        "--out", out().string()};
  };
  const Words words = converting("f32");
  Words again = converting("f16");
  again.emplace_back("--force");
  ASSERT_EQ(datadream(words).status, 0);
  // The model, without the note of its making that follows it.
  const auto model_files = [this] {
    auto files = results_in(out());
    files.erase("config.toml");
    return files;
  };
  const auto old = model_files();
  const ProcessResult whole = datadream(again);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const auto fresh = model_files();
  ASSERT_NE(old, fresh);
  dd::Random random(11);
  for (int kills = 0; kills < kills_wanted();) {
    fs::remove_all(out());
    ASSERT_EQ(datadream(words).status, 0);
    const ProcessResult result = datadream(again, random_kill(whole.seconds, random));
    kills += result.status != 0 ? 1 : 0;
    const auto found = model_files();
    EXPECT_TRUE(found == old || found == fresh) << difference(found, old) << "or\n"
                                                << difference(found, fresh);
  }
  EXPECT_EQ(datadream(again).status, 0);
  std::cout << "convert: " << kills_wanted() << " kills\n";
  for (const auto& entry : fs::directory_iterator(root())) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == "out" || name == "photos" || name == "images") << name << " is left over";
  }
}

}  // namespace
