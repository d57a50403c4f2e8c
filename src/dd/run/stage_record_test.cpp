// SPDX-License-Identifier: Apache-2.0
#include "dd/run/stage_record.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

using dd::run::StageRecord;

class StageRecordTest : public testing::Test {
 protected:
  dd::test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "stages.json";
};

TEST_F(StageRecordTest, AddsUpInterruptedCallsAndSurvivesItsFile) {
  {
    StageRecord record(file_);
    record.add("seed-0/adapt-class", {.seconds = 2, .peak_memory = 70});
    record.add("seed-0/adapt-class", {.seconds = 3, .peak_memory = 50});
    EXPECT_FALSE(record.is_complete("seed-0/adapt-class", 0));
    EXPECT_EQ(record.rate("adapt"), 0) << "an unfinished stage tells no speed";
    record.complete("seed-0/adapt-class", {.work = "adapt", .units = 100});
  }
  const StageRecord record(file_);
  EXPECT_EQ(record.seconds("seed-0/adapt-class", 100), 5);
  EXPECT_EQ(record.seconds("seed-0/adapt-class", 20), 1) << "a method that used a fifth of it";
  EXPECT_EQ(record.rate("adapt"), 0.05);
  EXPECT_TRUE(record.is_complete("seed-0/adapt-class", 100));
  EXPECT_FALSE(record.is_complete("seed-0/adapt-class", 101)) << "there is more to do now";
  EXPECT_EQ(record.seconds("never", 7), 0);
}

TEST_F(StageRecordTest, KnowsOfOtherProcessesWithoutTakingTheirWork) {
  StageRecord other(folder_.path() / "stages-2-of-2.json");
  other.add("shared", {.seconds = 4});
  other.complete("shared", {.work = "train", .units = 8});
  StageRecord record(file_);
  record.know(folder_.path() / "stages-2-of-2.json");
  EXPECT_EQ(record.seconds("shared", 8), 4);
  record.complete("shared", {.work = "train", .units = 8});
  record.add("own", {.seconds = 1});
  EXPECT_EQ(StageRecord(file_).seconds("shared", 8), 0);
}

TEST_F(StageRecordTest, ReadsOlderFilesAndRefusesOthers) {
  dd::write_file_atomically(file_, R"({"a": {"seconds": 1.5}})");
  EXPECT_EQ(StageRecord(file_).seconds("a", 0), 1.5);
  dd::write_file_atomically(file_, R"({"a": 3})");
  EXPECT_THROW(StageRecord{file_}, dd::Error);
}

}  // namespace
