// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/alignment.h"

#include <gtest/gtest.h>

namespace {

using dd::Json;

Json entry(std::int64_t seed, const std::string& method, const Json& kid) {
  return {{"method", method},
          {"mode", "none"},
          {"shots", 0},
          {"images_per_class", 5},
          {"sampler", "ddim"},
          {"sample_steps", 2},
          {"guidance", 3.0},
          {"guidance_interval", "all"},
          {"cache_every", 1},
          {"decode_shrink", 1},
          {"adapt_steps", nullptr},
          {"seed", seed},
          {"n_real", 40},
          {"n_synthetic", 10},
          {"kid", kid},
          {"fid_infinity", 1.5},
          {"cmmd", 0.25},
          {"precision", 0.5},
          {"recall", 0.5},
          {"density", 1.0},
          {"coverage", 0.75},
          {"comparison", "a/b"}};
}

TEST(SweepAlignment, GroupsSeedsAndLeavesOutWhatWasNotMeasured) {
  const Json rows = dd::sweep::group_alignments(
      {entry(0, "frozen", 1.0), entry(0, "disef", nullptr), entry(1, "frozen", 3.0)});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0]["seeds"], Json({0, 1}));
  EXPECT_NEAR(rows[0]["kid"]["mean"].get<double>(), 2, 1e-12);
  EXPECT_NEAR(rows[0]["kid"]["deviation"].get<double>(), 1.41421356, 1e-6);
  EXPECT_TRUE(rows[1]["kid"].is_null());
  EXPECT_TRUE(rows[1]["cmmd"]["deviation"].is_null()) << "one seed has no deviation";
  const std::string table = dd::sweep::alignment_table(rows);
  EXPECT_NE(table.find("2.0000 ± 1.4142"), std::string::npos) << table;
  EXPECT_NE(table.find("disef"), std::string::npos) << table;
}

}  // namespace
