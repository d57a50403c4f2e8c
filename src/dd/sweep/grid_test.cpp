// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dd/core/error.h"

namespace {

using dd::run::Cell;
using dd::sweep::SweepOptions;

std::int64_t count(const std::vector<Cell>& cells, const std::string& method) {
  return std::ranges::count_if(cells, [&](const Cell& cell) { return cell.method.name == method; });
}

SweepOptions options_for(const std::vector<std::string>& methods) {
  SweepOptions options;
  options.base.methods = methods;
  options.base.mode = "class";
  return options;
}

TEST(Grid, EachMethodVariesOnlyInWhatItUses) {
  SweepOptions options =
      options_for({"zero-shot", "real", "frozen", "frozen+real", "synthetic", "synthetic+real"});
  options.base.mode = "both";
  options.shots = {1, 4};
  options.per_class = {10, 20, 30};
  options.adapt_steps = {100, 200};
  options.guidance = {"2", "3"};
  options.lambda = {"0.5,0.8"};
  const std::vector<Cell> cells = dd::sweep::cells_of(options, {0, 1});
  EXPECT_EQ(count(cells, "zero-shot"), 1);
  EXPECT_EQ(count(cells, "real"), 2 * 2);
  EXPECT_EQ(count(cells, "frozen"), 2 * 3 * 2) << "guidance, images, seeds";
  EXPECT_EQ(count(cells, "frozen+real"), 2 * 2 * 3 * 2 * 2);
  EXPECT_EQ(count(cells, "synthetic"), 2 * 2 * 2 * 2 * 3 * 2) << "and modes, shots, adapt steps";
  EXPECT_EQ(count(cells, "synthetic+real"), 2 * 2 * 2 * 2 * 3 * 2 * 2);
}

TEST(Grid, NoSyntheticImagesLeaveTheMethodWithoutThem) {
  SweepOptions options = options_for({"synthetic", "synthetic+real"});
  options.per_class = {0, 10};
  const std::vector<Cell> cells = dd::sweep::cells_of(options, {0});
  EXPECT_EQ(count(cells, "zero-shot"), 1);
  EXPECT_EQ(count(cells, "real"), 1);
  EXPECT_EQ(count(cells, "synthetic"), 1);
  EXPECT_EQ(count(cells, "synthetic+real"), 1);
}

TEST(Grid, ASettingWithoutMeaningDoesNotChangeACell) {
  SweepOptions options = options_for({"real"});
  options.lambda = {"0.9"};
  options.guidance = {"7"};
  options.guidance_intervals = {"1:3"};
  options.cache_every = {2};
  options.decode_shrink = {4};
  const std::vector<Cell> cells = dd::sweep::cells_of(options, {3});
  ASSERT_EQ(cells.size(), 1);
  EXPECT_EQ(cells[0].settings.lambda, dd::run::RunOptions().lambda);
  EXPECT_EQ(dd::options_to_json(cells[0].settings), dd::options_to_json([&] {
              dd::run::RunOptions usual = options.base;
              usual.methods = {"real"};
              return usual;
            }()));
  EXPECT_EQ(cells[0].seed, 3);
}

TEST(Grid, WhatDiffersHasANameOfItsOwn) {
  SweepOptions options = options_for({"synthetic", "synthetic+real"});
  options.shots = {1, 16};
  options.adapt_steps = {10, 20};
  options.samplers = {"ddim", "euler"};
  options.sample_steps = {5, 10};
  options.guidance = {"1.5", "2"};
  options.guidance_intervals = {"all,0.50:3"};
  options.cache_every = {1, 2};
  options.decode_shrink = {1, 2};
  options.per_class = {1, 11};
  options.lambda = {"0.25", "0.5"};
  const std::vector<Cell> cells = dd::sweep::cells_of(options, {0});
  EXPECT_EQ(cells.size(), 8 * 2 * 2 * 2 * 2 * 2 * 2 * 3);
  const dd::run::StageNames names(dd::run::StageNames::Style::kFull);
  std::set<std::string> trainings;
  std::set<std::string> sets;
  std::set<std::string> adapters;
  for (const Cell& cell : cells) {
    trainings.insert(names.train(cell));
    sets.insert(names.images(cell));
    adapters.insert(names.adapt(cell));
  }
  EXPECT_EQ(trainings.size(), cells.size());
  EXPECT_EQ(sets.size(), 8 * 32) << "one for all sizes and weights";
  EXPECT_TRUE(sets.contains("seed-0/shots-1/generate-class-10-ddim-5-g1.5")) << "as ever";
  EXPECT_TRUE(sets.contains("seed-0/shots-1/generate-class-10-ddim-5-g1.5-i0.5to3-c2-d2"));
  EXPECT_EQ(adapters.size(), 4) << "one for all samplers";
}

TEST(Grid, AnIntervalMeansNothingWithoutGuidance) {
  SweepOptions options = options_for({"frozen"});
  options.guidance = {"1", "2"};
  options.guidance_intervals = {"all", "1:3", ":2"};
  EXPECT_EQ(dd::sweep::cells_of(options, {0}).size(), 1 + 3);
}

TEST(Grid, ListsAreChecked) {
  const auto refuses = [](const std::function<void(SweepOptions&)>& change) {
    SweepOptions options;
    options.check();
    change(options);
    try {
      options.check();
    } catch (const dd::Error& error) {
      return error.kind() == dd::ErrorKind::kUsage;
    }
    return false;
  };
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.shots = {4, 4}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.shots = {}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.lambda = {"1.5"}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.guidance = {"much"}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.cache_every = {0}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.decode_shrink = {9}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.guidance_intervals = {"3:1"}; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.guidance_intervals = {"1:3,1.0:3"}; }))
      << "the same twice";
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.shard = "3/2"; }));
  EXPECT_TRUE(refuses([](SweepOptions& options) { options.samplers = {"best"}; }));
}

}  // namespace
