// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_plan.h"

#include <gtest/gtest.h>

#include <set>

#include "dd/core/error.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace dd::adapt {
namespace {

class AdaptPlanTest : public ::testing::Test {
 protected:
  AdaptPlanTest() {
    test::write_photos(folder_.path() / "data", {"ankle_boot", "bag", "coat"}, 6, 8, 8);
    options_.data = (folder_.path() / "data").string();
    options_.shots = 5;
    common_.out = folder_.path() / "out";
  }

  test::TemporaryFolder folder_;
  AdaptOptions options_;
  CommonOptions common_;
  NullReporter silent_;
  CancelToken never_;
  Context context_{silent_, never_};
};

TEST_F(AdaptPlanTest, BothModesSpendTheSameCompute) {
  options_.epochs = 16;
  options_.batch = 8;
  const AdaptPlan whole = make_plan(options_, common_, context_);
  ASSERT_EQ(whole.jobs.size(), 1U);
  EXPECT_EQ(whole.jobs[0].steps, 16 * 3 * 5 / 8);
  EXPECT_EQ(whole.jobs[0].train.size(), 15U);
  EXPECT_EQ(whole.jobs[0].folder, common_.out);
  options_.mode = "class";
  const AdaptPlan classes = make_plan(options_, common_, context_);
  ASSERT_EQ(classes.jobs.size(), 3U);
  for (const AdapterJob& job : classes.jobs) {
    EXPECT_EQ(job.steps, whole.jobs[0].steps / 3);
    EXPECT_EQ(job.train.size(), 5U);
  }
  EXPECT_EQ(classes.jobs[0].folder, common_.out / "ankle_boot");
  EXPECT_EQ(classes.data_hash, whole.data_hash);
  options_.steps = 300;
  EXPECT_EQ(make_plan(options_, common_, context_).jobs[0].steps, 100);
  options_.steps = 1;
  EXPECT_EQ(make_plan(options_, common_, context_).jobs[0].steps, 1);
}

TEST_F(AdaptPlanTest, PromptsSayTheClassAndClassesKeepToTheirImages) {
  options_.mode = "class";
  options_.validation_shots = 2;
  const AdaptPlan plan = make_plan(options_, common_, context_);
  EXPECT_EQ(plan.prompts[0], "a photo of a ankle boot");
  std::set<std::int64_t> used;
  for (const AdapterJob& job : plan.jobs) {
    EXPECT_EQ(job.train.size(), 3U);
    EXPECT_EQ(job.validation.size(), 2U);
    for (const auto& part : {job.train, job.validation}) {
      for (const std::int64_t shot : part) {
        EXPECT_EQ(plan.shots->label(shot), job.classes[0]);
        EXPECT_TRUE(used.insert(shot).second) << "a held-out shot is trained on";
      }
    }
  }
  EXPECT_EQ(used.size(), 15U);
}

TEST_F(AdaptPlanTest, TakesShotsFromAFile) {
  const AdaptPlan drawn = make_plan(options_, common_, context_);
  write_shots(folder_.path() / "shots.json", *drawn.data, drawn.record);
  options_.shots_file = folder_.path() / "shots.json";
  options_.shots = 1;
  common_.seed = 99;
  const AdaptPlan taken = make_plan(options_, common_, context_);
  EXPECT_EQ(taken.record.indices, drawn.record.indices);
  EXPECT_EQ(taken.data_hash, drawn.data_hash);
  options_.shots_file.clear();
  options_.shots = 5;
  EXPECT_NE(make_plan(options_, common_, context_).data_hash, drawn.data_hash);
}

TEST_F(AdaptPlanTest, RefusesWhatCannotBe) {
  const auto kind = [&] {
    try {
      make_plan(options_, common_, context_);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  options_.shots = 7;
  EXPECT_EQ(kind(), ErrorKind::kInput);
  options_.shots = 5;
  options_.validation_shots = 5;
  EXPECT_EQ(kind(), ErrorKind::kUsage);
  options_.validation_shots = 0;
  options_.prompt_template = "a photo";
  EXPECT_EQ(kind(), ErrorKind::kUsage);
  options_.data = (folder_.path() / "nowhere").string();
  EXPECT_EQ(kind(), ErrorKind::kInput);
}

TEST_F(AdaptPlanTest, ShardsShareTheClassesAndNothingElse) {
  options_.mode = "class";
  const AdaptPlan whole = make_plan(options_, common_, context_);
  std::vector<std::string> classes;
  for (const char* shard : {"1/2", "2/2"}) {
    options_.shard = shard;
    const AdaptPlan part = make_plan(options_, common_, context_);
    EXPECT_EQ(part.data_hash, whole.data_hash);
    for (const AdapterJob& job : part.jobs) {
      classes.push_back(job.class_name);
      EXPECT_EQ(job.steps, whole.jobs.front().steps);
    }
  }
  EXPECT_EQ(classes, (std::vector<std::string>{"ankle_boot", "bag", "coat"}));
  options_.shard = "1/9";
  EXPECT_THROW(make_plan(options_, common_, context_), Error) << "there are 3 classes";
  options_.shard = "1/2";
  options_.mode = "dataset";
  EXPECT_THROW(make_plan(options_, common_, context_), Error) << "one adapter cannot be divided";
}

TEST_F(AdaptPlanTest, SettingsLeaveOutWhatChangesNothing) {
  const std::string text = settings_text(options_, common_, "f32", 32);
  AdaptOptions moved = options_;
  moved.data = "elsewhere";
  moved.save_every = 3;
  moved.accumulate = 2;
  moved.checkpoint_activations = true;
  moved.adapters_per_batch = 3;
  moved.shard = "2/3";
  EXPECT_EQ(settings_text(moved, common_, "f32", 32), text);
  moved.rank = 4;
  EXPECT_NE(settings_text(moved, common_, "f32", 32), text);
  EXPECT_NE(settings_text(options_, common_, "bf16", 32), text);
  EXPECT_NE(settings_text(options_, common_, "f32", 64), text);
}

}  // namespace
}  // namespace dd::adapt
