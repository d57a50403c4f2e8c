// SPDX-License-Identifier: Apache-2.0
#include "dd/run/execute.h"

#include <gtest/gtest.h>

#include <thread>

#include "dd/core/error.h"
#include "support/temporary_folder.h"

namespace {

using dd::run::run_stage;
using dd::run::Stage;
using dd::run::StageRecord;

class RunStage : public testing::Test {
 protected:
  /// A stage of some milliseconds that reports half of its work and then does `rest`.
  Stage stage(const std::function<bool()>& rest) const {
    return {.name = "draw", .what = "draws", .units = 4, .run = [rest](dd::Context& context) {
              std::this_thread::sleep_for(std::chrono::milliseconds(20));
              context.report.progress("draw", 2, 4, "");
              return rest();
            }};
  }
  double noted() const { return StageRecord(file_).seconds("draw", 4); }

  dd::test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "stages.json";
  StageRecord record_{file_};
  dd::NullReporter silent_;
  dd::Context context_{silent_, dd::never_stopped()};
};

TEST_F(RunStage, NotesItsTimeWhenItIsDone) {
  EXPECT_TRUE(run_stage(stage([] { return true; }), record_, context_));
  EXPECT_GE(noted(), 0.02);
  EXPECT_TRUE(StageRecord(file_).is_complete("draw", 4));
}

TEST_F(RunStage, NotesItsTimeOnTheWayForTheCaseThatItIsKilled) {
  double on_the_way = 0;
  const Stage killed = stage([&] {
    on_the_way = noted();
    return true;
  });
  run_stage(killed, record_, context_, std::chrono::seconds(0));
  EXPECT_GE(on_the_way, 0.02);
  EXPECT_GE(noted(), on_the_way);
  EXPECT_LT(noted(), 10 * on_the_way) << "counted more than once";
}

TEST_F(RunStage, AStageThatFindsNothingToDoCostsNothing) {
  const Stage kept = stage([] { return false; });
  EXPECT_FALSE(run_stage(kept, record_, context_, std::chrono::seconds(0)));
  EXPECT_NEAR(noted(), 0, 1e-9);
  EXPECT_TRUE(StageRecord(file_).is_complete("draw", 4));
}

TEST_F(RunStage, WhatAnotherProcessDidKeepsItsTime) {
  const std::filesystem::path others = folder_.path() / "stages-2-of-2.json";
  StageRecord other(others);
  other.add("draw", {.seconds = 90});
  other.complete("draw", {.work = "generate", .units = 4});
  record_.know(others);
  run_stage(stage([] { return false; }), record_, context_, std::chrono::seconds(0));
  EXPECT_EQ(record_.seconds("draw", 4), 90);
}

TEST_F(RunStage, AStopIsNotedAndPassedOn) {
  const Stage stopped = stage([]() -> bool { dd::CancelToken::stop(); });
  EXPECT_THROW(run_stage(stopped, record_, context_), dd::Error);
  EXPECT_GE(noted(), 0.02);
  EXPECT_FALSE(StageRecord(file_).is_complete("draw", 4));
}

}  // namespace
