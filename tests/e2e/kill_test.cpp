// SPDX-License-Identifier: Apache-2.0
// Every stage, killed at random moments and called again until it is done, ends in the same files
// as undisturbed. DATADREAM_KILLS=N asks for at least N kills of each stage.
#include <gtest/gtest.h>
#include <unistd.h>

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
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessOptions;
using dd::test::ProcessResult;
using Words = std::vector<std::string>;

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
    // `adapt` may be killed after its record and before its state is removed, which does no harm.
    if (same == expected.end() && !name.ends_with("adapter-state.safetensors"))
      text += "left over: " + name + "\n";
    if (same != expected.end() && same->second != content)
      text += dd::cat("differs: ", name, "\n  ", content, "\n  ", same->second, "\n");
  }
  for (const auto& [name, content] : expected)
    if (!files.contains(name)) text += "missing: " + name + "\n";
  return text;
}

/// Seconds until main is reached: until then nothing is done that a kill could disturb.
double start_up_seconds() {
  static const double kSeconds =
      std::min(datadream({"--version"}).seconds, datadream({"--version"}).seconds);
  return kSeconds;
}

class Kill : public testing::Test {
 protected:
  Kill() {
    dd::test::write_colour_set(root() / "images", 6, 1);
    std::uint64_t seed = 2;
    for (const char* split : {"train", "val", "test"})
      dd::test::write_colour_set(root() / "photos" / split, 4, seed++);
  }
  fs::path root() const { return folder_.path(); }
  fs::path out() const { return root() / "out"; }
  std::string path(const std::string& name) const { return (root() / name).string(); }
  static std::string model(const std::string& name) {
    return std::string(DD_SOURCE_DIR) + "/tests/oracle/models/" + name;
  }

  Words complete(Words words) const {
    words.insert(words.end(), {"--device", "cpu", "--threads", "1", "--out", out().string()});
    return words;
  }

  /// Calls the stage undisturbed, then with kills, and compares. Always in the same folder, since
  /// some files name it.
  void expect_same_files(const Words& stage) {
    const Words words = complete(stage);
    const ProcessResult whole = datadream(words);
    ASSERT_EQ(whole.status, 0) << whole.err;
    const auto expected = results_in(out());
    ASSERT_FALSE(expected.empty());
    dd::Random random(dd::mix_seed(7, stage.front()));
    int kills = 0;
    for (int round = 0; kills < kills_wanted(); ++round) {
      ASSERT_LT(round, 20 + 5 * kills_wanted()) << "it is always done before it is killed";
      fs::remove_all(out());
      kills += finish_with_kills(words, whole.seconds, random);
      if (HasFatalFailure()) return;
      EXPECT_EQ(difference(results_in(out()), expected), "") << "round " << round;
    }
    std::cout << stage.front() << ": " << kills << " kills\n";
  }

  /// A signal, or an impatient user's two, at a moment while the stage works.
  static ProcessOptions random_kill(double seconds, dd::Random& random) {
    const double share = static_cast<double>(random.below(1000)) / 1000;
    ProcessOptions kill;
    // A few during start-up.
    const double start = random.below(8) == 0 ? 0 : start_up_seconds();
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

 private:
  dd::test::TemporaryFolder folder_;
};

TEST_F(Kill, AdaptByClass) {
  expect_same_files({"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2",
                     "--mode", "class", "--steps", "6", "--batch", "2", "--save-every", "2"});
}

TEST_F(Kill, AdaptByDataset) {
  expect_same_files({"adapt", "--model", model("sd1"), "--data", path("photos"), "--shots", "2",
                     "--mode", "dataset", "--steps", "12", "--batch", "2", "--save-every", "3"});
}

TEST_F(Kill, Generate) {
  expect_same_files({"generate", "--model", model("sd1"), "--classes", path("photos"),
                     "--per-class", "4", "--steps", "3", "--batch", "2"});
}

TEST_F(Kill, Train) {
  expect_same_files({"train", "--clip", model("clip"), "--synthetic", path("images"), "--real",
                     path("photos"), "--shots", "3", "--batch", "6", "--steps", "30", "--rank", "4",
                     "--save-every", "5"});
}

TEST_F(Kill, Evaluate) {
  expect_same_files({"evaluate", "--clip", model("clip"), "--data", path("photos")});
}

TEST_F(Kill, Align) {
  expect_same_files({"align", "--clip", model("clip"), "--real", path("photos"), "--synthetic",
                     path("images"), "--bootstrap", "5"});
}

TEST_F(Kill, Run) {
  expect_same_files({"run",
                     "--model",
                     model("sd1"),
                     "--clip",
                     model("clip"),
                     "--data",
                     path("photos"),
                     "--shots",
                     "2",
                     "--per-class",
                     "2",
                     "--mode",
                     "class",
                     "--adapt-steps",
                     "3",
                     "--adapt-batch",
                     "2",
                     "--sample-steps",
                     "2",
                     "--classifier-steps",
                     "3",
                     "--classifier-batch",
                     "4"});
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

TEST_F(Kill, Pretrain) {
  const std::string data = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(data)) GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  expect_same_files({"pretrain", "--part", "judge", "--judge-steps", "20", "--data", data});
}

TEST_F(Kill, AModelThatIsReplacedIsAlwaysWhole) {
  const Words words = complete({"convert", model("sd1"), "--to", "diffusers", "--dtype", "f32"});
  Words again = complete({"convert", model("sd1"), "--to", "diffusers", "--dtype", "f16"});
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

/// A stage that another process keeps busy until the object goes.
class Holder {
 public:
  Holder(const Words& words, const fs::path& lock) : process_(::fork()) {
    if (process_ == 0) {
      const int nowhere = ::open("/dev/null", O_RDWR);
      if (nowhere < 0) _exit(127);
      for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, stream);
      Words all = words;
      all.insert(all.begin(), DD_PROGRAM);
      dd::test::detail::become(all, {});
      _exit(127);
    }
    for (int i = 0; i < 1000 && (!fs::exists(lock) || fs::is_empty(lock)); ++i) ::usleep(20000);
  }
  ~Holder() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  std::string name() const { return dd::cat("process ", process_, " on "); }

 private:
  pid_t process_;
};

void expect_refused(const Words& words, const std::string& holder) {
  const ProcessResult second = datadream(words);
  EXPECT_EQ(second.status, 2) << second.err;
  // A sweep looks at its input first, and may say so.
  const std::size_t error = second.err.find("datadream: error: ");
  ASSERT_NE(error, std::string::npos) << second.err;
  EXPECT_TRUE(dd::test::is_one_error_line(second.err.substr(error))) << second.err;
  EXPECT_NE(second.err.find(holder, error), std::string::npos) << second.err;
}

TEST_F(Kill, ASecondProcessIsRefusedByTheHoldersName) {
  const Words first = complete({"train", "--clip", model("clip"), "--synthetic", path("images"),
                                "--batch", "6", "--steps", "100000"});
  {
    const Holder holder(first, out() / ".lock");
    expect_refused(first, holder.name());
    expect_refused(complete({"evaluate", "--clip", model("clip"), "--data", path("photos")}),
                   holder.name());
  }
  EXPECT_TRUE(fs::exists(out() / ".lock")) << "what a killed process leaves";
  const ProcessResult third = datadream(first, {.signal = SIGTERM, .signal_after_text = "loss"});
  EXPECT_EQ(third.status, 130) << third.err;
  EXPECT_FALSE(fs::exists(out() / ".lock"));
}

TEST_F(Kill, PartsOfASweepHoldItTogether) {
  const Words grid =
      complete({"sweep", "--model", model("sd1"), "--clip", model("clip"), "--data", path("photos"),
                "--shots", "1,2", "--methods", "real", "--classifier-steps", "100000"});
  const auto part = [&](const char* shard) {
    Words words = grid;
    words.insert(words.end(), {"--shard", shard});
    return words;
  };
  {
    const Holder holder(part("1/2"), out() / ".lock-1-of-2");
    expect_refused(part("1/2"), holder.name());
    expect_refused(part("1/1"), "a sweep in 2 part(s)");
    expect_refused(complete({"evaluate", "--clip", model("clip"), "--data", path("photos")}),
                   "a sweep in 2 part(s)");
    const ProcessResult other =
        datadream(part("2/2"), {.signal = SIGINT, .signal_after_text = "loss"});
    EXPECT_EQ(other.status, 130) << other.err;
  }
  EXPECT_TRUE(fs::exists(out() / ".lock-1-of-2")) << "what a killed process leaves";
  const ProcessResult alone = datadream(grid, {.signal = SIGINT, .signal_after_text = "loss"});
  EXPECT_EQ(alone.status, 130) << alone.err;
  for (const auto& entry : fs::directory_iterator(out()))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".lock")) << entry.path();
}

}  // namespace
