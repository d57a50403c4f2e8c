// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "dd/cli/json_log.h"
#include "dd/cli/terminal_reporter.h"
#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/temporary_folder.h"

namespace {

using dd::cli::ProgressMeter;

TEST(ProgressMeter, DoesNotCreditWhatAResumedTaskFoundDone) {
  ProgressMeter meter;
  meter.update("adapt", 1000, 5.0);
  EXPECT_EQ(meter.speed(), 0);
  meter.update("adapt", 1010, 10.0);
  EXPECT_DOUBLE_EQ(meter.speed(), 2.0);
}

TEST(ProgressMeter, ForgetsOldSpeedsAndOtherTasks) {
  ProgressMeter meter;
  for (int second = 0; second <= 100; ++second) meter.update("a", second, second);
  for (int second = 101; second <= 200; ++second)
    meter.update("a", 100 + (second - 100) * 5, second);
  EXPECT_NEAR(meter.speed(), 5.0, 1e-9);
  meter.update("b", 0, 201);
  EXPECT_EQ(meter.speed(), 0);
}

TEST(ProgressText, SaysSpeedTimeLeftAndDetail) {
  EXPECT_EQ(dd::cli::progress_text("adapt", 120, 1500, 4.2, "loss 0.1"),
            "adapt 120/1500 (8 %), 4.2/s, 5 min 29 s left, loss 0.1");
  EXPECT_EQ(dd::cli::progress_text("read", 7, 0, 0, ""), "read 7");
  EXPECT_EQ(dd::cli::progress_text("x", 1, 2, 0.1, ""), "x 1/2 (50 %), 10.0 s each, 10 s left");
  EXPECT_EQ(dd::cli::duration_text(7500), "2 h 5 min");
}

class Reporters : public ::testing::Test {
 protected:
  dd::cli::TerminalReporter make(dd::cli::TerminalStyle style) {
    return {out_, style, [this] { return now_; }};
  }
  std::ostringstream out_;
  double now_ = 0;
};

TEST_F(Reporters, PlainLinesComeAtIntervalsAndAtTheEnd) {
  auto reporter = make({.interval = 10});
  for (int i = 0; i <= 25; ++i, now_ += 1) reporter.progress("t", i, 25, "");
  std::istringstream lines(out_.str());
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);)
    starts.push_back(line.substr(0, line.find(' ', 2)));
  EXPECT_EQ(starts, (std::vector<std::string>{"t 0/25", "t 10/25", "t 20/25", "t 25/25"}));
}

TEST_F(Reporters, AMessageDoesNotLandOnTheDrawnLine) {
  auto reporter = make({.rewrites_line = true, .columns = 20});
  reporter.progress("t", 1, 2, "a detail that is too long for the line");
  reporter.warn("mind this");
  EXPECT_EQ(out_.str(), "\rt 1/2 (50 %), a det\x1b[K\ndatadream: warning: mind this\n");
}

TEST_F(Reporters, ACutLineEndsInAWholeLetter) {
  auto reporter = make({.rewrites_line = true, .columns = 10});
  reporter.progress("t", 1, 0, "aaa\u00fc\u00fc");
  EXPECT_EQ(out_.str(), "\rt 1, aaa\x1b[K");
}

TEST_F(Reporters, QuietShowsWarningsOnly) {
  auto reporter = make({.quiet = true});
  reporter.info("loaded");
  reporter.progress("t", 1, 2, "");
  EXPECT_EQ(out_.str(), "");
  reporter.warn("mind this");
  EXPECT_EQ(out_.str(), "datadream: warning: mind this\n");
}

TEST_F(Reporters, JsonLogWritesParsableLinesAndPassesOn) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "log.jsonl";
  auto reporter = make({});
  {
    dd::cli::JsonLog log(file, reporter);
    log.info("loaded \"x\"");
    log.warn("bad byte \xff");
    log.progress("t", 5, 5, "loss 1");
  }
  std::istringstream lines(dd::read_file(file));
  std::vector<dd::Json> objects;
  for (std::string line; std::getline(lines, line);) objects.push_back(dd::Json::parse(line));
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0]["text"], "loaded \"x\"");
  EXPECT_EQ(objects[1]["kind"], "warning");
  EXPECT_EQ(objects[2]["done"], 5);
  EXPECT_NE(out_.str().find("t 5/5"), std::string::npos);
}

TEST_F(Reporters, JsonLogRefusesAFileItCannotWrite) {
  auto reporter = make({});
  EXPECT_THROW(dd::cli::JsonLog("/nonexistent/folder/log.jsonl", reporter), dd::Error);
}

TEST_F(Reporters, JsonLogSaysOnceThatItsDiskIsFull) {
  auto reporter = make({});
  dd::cli::JsonLog log("/dev/full", reporter);
  log.info("first");
  log.info("second");
  const std::string text = out_.str();
  const std::size_t at = text.find("--log-json /dev/full");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(text.find("--log-json", at + 1), std::string::npos) << text;
  EXPECT_NE(text.find("second"), std::string::npos) << text;
}

}  // namespace
