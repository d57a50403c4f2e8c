// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/shard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "dd/core/error.h"
#include "dd/data/dataset.h"
#include "dd/sweep/grid.h"
#include "support/no_locks.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace {

using dd::Shard;
using dd::run::Chain;
using dd::run::Measurement;
using dd::sweep::OutLock;

class Shards : public testing::Test {
 protected:
  Shards() {
    dd::test::write_photos(folder_.path() / "photos", {"Bag", "Dress"}, 1, 8, 8);
    setup_.common.out = folder_.path() / "out";
    setup_.data = dd::open_dataset({"folder", folder_.path() / "photos"}, "train");
    setup_.costs = {
        .adapt_picture = 3e6, .evaluation = 1e6, .decode_picture = {1e5}, .train_picture = 5e5};
    dd::sweep::SweepOptions options;
    options.base.methods = {"zero-shot",   "real",      "frozen",
                            "frozen+real", "synthetic", "synthetic+real"};
    options.shots = {1, 4};
    options.per_class = {10, 20};
    for (const dd::run::Cell& cell : dd::sweep::cells_of(options, {0, 1, 2})) chain_.add(cell);
  }

  dd::test::TemporaryFolder folder_;
  dd::run::Setup setup_;
  Chain chain_{setup_, dd::run::StageNames::Style::kFull};
};

TEST_F(Shards, PartsAreWholeAndShareNoStage) {
  std::set<const Measurement*> seen;
  std::map<std::string, std::int64_t> part_of;
  for (std::int64_t number = 1; number <= 4; ++number) {
    const auto mine = dd::sweep::measurements_of(chain_, {number, 4});
    EXPECT_FALSE(mine.empty());
    for (const Measurement* measured : mine) {
      EXPECT_TRUE(seen.insert(measured).second) << "in two parts: " << measured->evaluation;
      for (const std::string& stage : measured->stages) {
        if (chain_.stage(stage).work == dd::run::Work::kShots) continue;
        EXPECT_EQ(part_of.emplace(stage, number).first->second, number) << stage;
      }
    }
  }
  EXPECT_EQ(seen.size(), chain_.measurements().size());
}

TEST_F(Shards, OnePartIsEverythingInOrder) {
  const auto all = dd::sweep::measurements_of(chain_, {});
  ASSERT_EQ(all.size(), chain_.measurements().size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], &chain_.measurements()[i]);
}

TEST_F(Shards, ASetServesItsLargestUser) {
  std::int64_t largest = 0;
  std::int64_t classifiers = 0;
  for (const dd::run::Stage& stage : chain_.stages()) {
    if (stage.work == dd::run::Work::kGenerate) {
      EXPECT_EQ(stage.units, 2 * 20 * 15 * 2) << stage.name << ": images x steps, guided";
      ++largest;
    }
    if (stage.work == dd::run::Work::kTrain) ++classifiers;
  }
  EXPECT_EQ(largest, 3 + 3 * 2 * 2) << "frozen a seed; adapted a seed, shots and mode";
  EXPECT_EQ(classifiers, 3 * (2 + 2 + 4 + 8 + 8));
}

TEST_F(Shards, AFolderIsHeldByOneProcessAPart) {
  const auto out = setup_.common.out;
  {
    const OutLock first(out, {1, 2});
    const OutLock second(out, {2, 2});
    EXPECT_THROW(OutLock(out, Shard{1, 2}), dd::Error) << "the same part";
    EXPECT_THROW(OutLock(out, Shard{1, 1}), dd::Error) << "another division";
    EXPECT_THROW(OutLock(out, Shard{3, 3}), dd::Error) << "another division";
  }
  const OutLock again(out, {1, 1});
  EXPECT_THROW(OutLock(out, Shard{1, 1}), dd::Error);
}

// As for the other commands: the user is warned, and works.
TEST_F(Shards, ADiskWithoutLocksKeepsNobodyOut) {
  const dd::test::NoLocks disk;
  const auto out = setup_.common.out;
  const OutLock first(out, {1, 2});
  const OutLock second(out, {2, 2});
  bool has_worked = false;
  second.in_turn([&] { has_worked = true; });
  EXPECT_TRUE(has_worked);
  for (const OutLock* lock : {&first, &second}) {
    EXPECT_NE(lock->warning().find("knows no locks"), std::string::npos) << lock->warning();
  }
}

TEST_F(Shards, PartsTakeTurnsAtTheTable) {
  const auto out = setup_.common.out;
  {
    const OutLock first(out, {1, 2});
    const OutLock second(out, {2, 2});
    std::atomic<bool> is_first_done = false;
    bool was_alone = false;
    std::thread other;
    first.in_turn([&] {
      other = std::thread([&] { second.in_turn([&] { was_alone = is_first_done; }); });
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      is_first_done = true;
    });
    other.join();
    EXPECT_TRUE(was_alone);
    EXPECT_THROW(first.in_turn([] { dd::fail_input("no"); }), dd::Error);
    first.in_turn([] {});
  }
  EXPECT_FALSE(std::filesystem::exists(out)) << "nothing was put into what the locks made";
}

}  // namespace
