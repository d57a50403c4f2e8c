// SPDX-License-Identifier: Apache-2.0
// Every stage, killed at random moments and called again until it is done, ends in the same bytes
// as undisturbed. DATADREAM_KILLS=N asks for at least N kills of each stage.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/seeds.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessResult;
using Words = std::vector<std::string>;

int kills_wanted() {
  const char* const text = std::getenv("DATADREAM_KILLS");
  return text == nullptr ? 2 : std::max(1, std::atoi(text));
}

/// The files whose bytes must agree. Records in JSON hold seconds and memory, which never do.
std::map<std::string, std::string> results_in(const fs::path& out) {
  static const std::set<std::string> kCompared{".safetensors", ".png", ".npy", ".jsonl", ".csv"};
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (entry.is_regular_file() && kCompared.contains(entry.path().extension()))
      files[fs::relative(entry.path(), out).string()] = dd::sha256_of_file(entry.path());
  }
  return files;
}

class Kill : public testing::Test {
 protected:
  Kill() {
    dd::test::write_colour_set(root() / "images", 6, 1);
    for (const char* split : {"train", "val", "test"})
      dd::test::write_colour_set(root() / "photos" / split, 4, *split == 'v' ? 3 : *split);
  }
  fs::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  static std::string model(const std::string& name) {
    return std::string(DD_SOURCE_DIR) + "/tests/oracle/models/" + name;
  }

  static Words complete(Words words, const std::string& out) {
    words.insert(words.end(),
                 {"--device", "cpu", "--dtype", "f32", "--threads", "1", "--out", out});
    return words;
  }

  /// Calls the stage undisturbed, then with kills, and compares.
  void expect_same_bytes(const Words& words) {
    const ProcessResult whole = datadream(complete(words, path("whole")));
    ASSERT_EQ(whole.status, 0) << whole.err;
    const auto expected = results_in(path("whole"));
    ASSERT_FALSE(expected.empty());
    dd::Random random(dd::mix_seed(7, words.front()));
    int kills = 0;
    for (int round = 0; kills < kills_wanted(); ++round) {
      ASSERT_LT(round, 20 + 5 * kills_wanted()) << "it is always done before it is killed";
      const std::string out = path(dd::cat("killed-", round));
      kills += finish_with_kills(complete(words, out), whole.seconds, random);
      if (HasFatalFailure()) return;
      EXPECT_EQ(results_in(out), expected) << "round " << round;
      fs::remove_all(out);
    }
    RecordProperty("kills", kills);
  }

 private:
  /// The number of kills until it was done; the last call is left alone when luck does not help.
  static int finish_with_kills(const Words& words, double seconds, dd::Random& random) {
    constexpr int kMost = 6;
    constexpr std::array kSignals{SIGKILL, SIGINT, SIGTERM};
    int kills = 0;
    for (; kills < kMost; ++kills) {
      const int signal = kSignals.at(static_cast<std::size_t>(random.below(std::ssize(kSignals))));
      const double moment = static_cast<double>(random.below(1000)) / 1000 * seconds;
      const ProcessResult result =
          datadream(words, {.signal = signal, .signal_after_seconds = moment});
      if (result.status == 0) return kills;
      // Before the program began it knows no signals; then nothing is written yet either.
      const bool early = result.status == 128 + signal && result.err.empty();
      const int stopped = signal == SIGKILL ? 128 + SIGKILL : 130;
      EXPECT_TRUE(early || result.status == stopped) << result.status << ": " << result.err;
    }
    const ProcessResult last = datadream(words);
    EXPECT_EQ(last.status, 0) << last.err;
    return kills;
  }

  dd::test::TemporaryFolder folder_;
};

TEST_F(Kill, AdaptByClass) {
  expect_same_bytes({"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2",
                     "--mode", "class", "--steps", "6", "--batch", "2", "--save-every", "2"});
}

TEST_F(Kill, AdaptByDataset) {
  expect_same_bytes({"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2",
                     "--mode", "dataset", "--steps", "12", "--batch", "2", "--save-every", "3"});
}

TEST_F(Kill, Generate) {
  expect_same_bytes({"generate", "--model", model("sd1"), "--classes", path("photos"),
                     "--per-class", "3", "--steps", "3"});
}

TEST_F(Kill, Train) {
  expect_same_bytes({"train", "--clip", model("clip"), "--synthetic", path("images"), "--real",
                     path("photos"), "--shots", "3", "--batch", "6", "--steps", "30", "--rank", "4",
                     "--save-every", "5"});
}

TEST_F(Kill, Evaluate) {
  expect_same_bytes({"evaluate", "--clip", model("clip"), "--data", path("photos")});
}

TEST_F(Kill, Align) {
  expect_same_bytes({"align", "--clip", model("clip"), "--real", path("photos"), "--synthetic",
                     path("images"), "--bootstrap", "5"});
}

TEST_F(Kill, ASecondProcessIsRefusedByTheHoldersName) {
  const Words first = complete({"train", "--clip", model("clip"), "--synthetic", path("images"),
                                "--batch", "6", "--steps", "100000"},
                               path("out"));
  const std::string program = DD_PROGRAM;
  const pid_t holder = ::fork();
  if (holder == 0) {
    Words words = first;
    words.insert(words.begin(), program);
    dd::test::detail::become(words, {});
    _exit(127);
  }
  for (int i = 0; i < 500 && !fs::exists(root() / "out" / ".lock"); ++i) ::usleep(20000);
  const ProcessResult second = datadream(first);
  EXPECT_EQ(second.status, 2);
  EXPECT_TRUE(dd::test::is_one_error_line(second.err)) << second.err;
  EXPECT_NE(second.err.find(dd::cat("process ", holder, " on ")), std::string::npos) << second.err;
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_TRUE(fs::exists(root() / "out" / ".lock")) << "what a killed process leaves";
  const ProcessResult third = datadream(first, {.signal = SIGTERM, .signal_after_seconds = 2});
  EXPECT_EQ(third.status, 130) << third.err;
}

}  // namespace
