// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/table.h"

#include <gtest/gtest.h>

namespace {

using dd::Json;

Json cell(std::int64_t seed, std::int64_t images, double top1) {
  return {{"method", "synthetic+real"},
          {"mode", "class"},
          {"shots", 4},
          {"images_per_class", images},
          {"seed", seed},
          {"adapt_steps", 400},
          {"sampler", "ddim"},
          {"sample_steps", 15},
          {"guidance", 3.0},
          {"guidance_interval", "all"},
          {"cache_every", 1},
          {"decode_shrink", 1},
          {"lambda", 0.5},
          {"split", "test"},
          {"top1", top1},
          {"n", 1000},
          {"seconds", 10.0},
          {"effort",
           {{"adapt", {{"flops", 0.0}}},
            {"draw",
             {{"images", 40},
              {"evaluations", 15},
              {"passes", 30},
              {"shallow_passes", 0},
              {"image_flops", 5.5e10},
              {"flops", 2.25e12}}},
            {"train", {{"images", 640}, {"flops", 9.99e9}}}}},
          {"protocol", "held-out"},
          {"evaluation", "seed-0/evaluate,\"x\""},
          {"classifier", "c"}};
}

TEST(SweepTable, GroupsSeedsAndKeepsTheirOrder) {
  const Json rows = dd::sweep::group_cells(
      {cell(0, 10, 0.6), cell(0, 20, 0.9), cell(1, 10, 0.7), cell(2, 10, 0.8)});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_NEAR(rows[0]["top1"].get<double>(), 0.7, 1e-12);
  EXPECT_NEAR(rows[0]["deviation"].get<double>(), 0.1, 1e-12);
  EXPECT_EQ(rows[0]["seeds"], Json({0, 1, 2}));
  EXPECT_EQ(rows[0]["top1_by_seed"], Json({0.6, 0.7, 0.8}));
  EXPECT_EQ(rows[0]["seconds"], 10.0);
  EXPECT_TRUE(rows[1]["deviation"].is_null()) << "one seed has none";
}

TEST(SweepTable, ShowsWhatDiffers) {
  const std::string text = dd::sweep::sweep_table(
      dd::sweep::group_cells({cell(0, 10, 0.6), cell(1, 10, 0.7), cell(0, 20, 0.9)}));
  EXPECT_EQ(text,
            "method                  shots  images a class       top-1 %  seeds  test images  "
            "seconds  trained on  FLOPs adapting  drawing  training\n"
            "synthetic+real (class)      4              10  65.00 ± 7.07      2         1000       "
            "10         640               -   2.2e12    1.0e10\n"
            "synthetic+real (class)      4              20         90.00      1         1000       "
            "10         640               -   2.2e12    1.0e10\n");
  Json other = cell(0, 10, 0.6);
  other["guidance"] = 2.0;
  EXPECT_NE(
      dd::sweep::sweep_table(dd::sweep::group_cells({cell(0, 10, 0.6), other})).find("guidance"),
      std::string::npos);
}

TEST(SweepTable, ShowsTheCostOfAnImageWhereItDiffers) {
  Json cheap = cell(0, 10, 0.6);
  cheap["cache_every"] = 2;
  cheap["effort"]["draw"]["image_flops"] = 3.5e10;
  const std::string text =
      dd::sweep::sweep_table(dd::sweep::group_cells({cell(0, 10, 0.6), cheap}));
  EXPECT_NE(text.find("passes  FLOPs an image"), std::string::npos) << text;
  EXPECT_NE(text.find("3.5e10"), std::string::npos) << text;
  EXPECT_NE(text.find("cache every"), std::string::npos) << text;
}

TEST(SweepTable, CsvQuotesWhatNeedsIt) {
  const std::string csv = dd::sweep::cells_csv(Json::array({cell(7, 10, 0.25)}));
  EXPECT_EQ(csv,
            "method,mode,shots,images_per_class,adapt_steps,sampler,sample_steps,guidance,"
            "guidance_interval,cache_every,decode_shrink,lambda,protocol,seed,split,top1,n,seconds,"
            "evaluation,evaluations,passes,shallow_passes,image_flops\n"
            "synthetic+real,class,4,10,400,ddim,15,3.0,all,1,1,0.5,held-out,7,test,0.25,1000,10.0,"
            "\"seed-0/evaluate,\"\"x\"\"\",15,30,0,55000000000.0\n");
  Json real = cell(7, 0, 0.5);
  real["effort"]["draw"]["images"] = 0;
  EXPECT_TRUE(dd::sweep::cells_csv(Json::array({real})).ends_with(",,,,\n")) << "nothing is drawn";
}

}  // namespace
