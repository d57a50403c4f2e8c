// SPDX-License-Identifier: Apache-2.0
// Two processes on one --out: the second is refused with the holder's name, and what a dead one
// left blocks nobody.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "dd/core/error.h"
#include "support/datadream.h"
#include "support/stage_cases.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessResult;
using dd::test::StageCases;
using dd::test::Words;

class Lock : public testing::Test {
 protected:
  fs::path out() const { return cases_.root() / "out"; }
  Words complete(const Words& words) const { return StageCases::complete(words, out().string()); }

  StageCases cases_;
};

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
  EXPECT_TRUE(dd::test::is_one_error_line(second.err)) << second.err;
  EXPECT_NE(second.err.find(holder), std::string::npos) << second.err;
}

TEST_F(Lock, ASecondProcessIsRefusedByTheHoldersName) {
  const Words first = complete({"train", "--clip", StageCases::model("clip"), "--synthetic",
                                cases_.path("images"), "--batch", "6", "--steps", "100000"});
  {
    const Holder holder(first, out() / ".lock");
    expect_refused(first, holder.name());
    expect_refused(complete({"evaluate", "--clip", StageCases::model("clip"), "--data",
                             cases_.path("photos")}),
                   holder.name());
  }
  EXPECT_TRUE(fs::exists(out() / ".lock")) << "what a killed process leaves";
  const ProcessResult third = datadream(first, {.signal = SIGTERM, .signal_after_text = "loss"});
  EXPECT_EQ(third.status, 130) << third.err;
  EXPECT_FALSE(fs::exists(out() / ".lock"));
}

TEST_F(Lock, PartsOfASweepHoldItTogether) {
  const Words grid =
      complete({"sweep", "--model", StageCases::model("sd1"), "--clip", StageCases::model("clip"),
                "--data", cases_.path("photos"), "--shots", "1,2", "--methods", "real",
                "--classifier-steps", "100000"});
  const auto part = [&](const char* shard) {
    Words words = grid;
    words.insert(words.end(), {"--shard", shard});
    return words;
  };
  {
    const Holder holder(part("1/2"), out() / ".lock-1-of-2");
    expect_refused(part("1/2"), holder.name());
    expect_refused(part("1/1"), "a sweep in 2 part(s)");
    expect_refused(complete({"evaluate", "--clip", StageCases::model("clip"), "--data",
                             cases_.path("photos")}),
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
