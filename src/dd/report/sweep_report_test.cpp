// SPDX-License-Identifier: Apache-2.0
#include "dd/report/sweep_report.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

using dd::Json;
using dd::report::Chart;
using dd::report::scaling_charts;

Json row(const std::string& method, const Json& shots, const Json& images, double top1) {
  return {{"method", method},  {"mode", method.starts_with("synthetic") ? "class" : "none"},
          {"shots", shots},    {"images_per_class", images},
          {"lambda", nullptr}, {"top1", top1},
          {"deviation", 0.01}, {"top1_by_seed", {top1 - 0.01, top1 + 0.01}},
          {"n", 100},          {"seconds", 12.5}};
}

TEST(Scaling, DrawsALineForWhatDiffersInOneSetting) {
  const Json rows{row("zero-shot", 0, 0, 0.3), row("real", 16, 0, 0.6),
                  row("synthetic", 16, 10, 0.5), row("synthetic", 16, 100, 0.7)};
  const std::vector<Chart> charts = scaling_charts(rows, "images_per_class");
  ASSERT_EQ(charts.size(), 1U);
  const Chart& chart = charts.front();
  ASSERT_EQ(chart.series.size(), 3U);
  EXPECT_EQ(chart.series[0].name, "synthetic (class)");
  EXPECT_EQ(chart.series[0].points, (std::vector<std::pair<double, double>>{{10, 50}, {100, 70}}));
  EXPECT_EQ(chart.series[0].deviation, (std::vector<double>{1, 1}));
  EXPECT_FALSE(chart.series[0].dashed);
  EXPECT_EQ(chart.series[1].name, "zero-shot");
  EXPECT_TRUE(chart.series[1].dashed);
  EXPECT_EQ(chart.series[2].name, "real");
  EXPECT_EQ(chart.series[2].points, (std::vector<std::pair<double, double>>{{10, 60}, {100, 60}}));
  EXPECT_TRUE(chart.log_x);
  EXPECT_TRUE(scaling_charts(rows, "shots").empty()) << "nothing was measured at two";
  EXPECT_TRUE(scaling_charts(rows, "lambda").empty());
}

TEST(Scaling, OtherSettingsPartTheLines) {
  const Json rows{row("synthetic", 1, 10, 0.4), row("synthetic", 1, 40, 0.5),
                  row("synthetic", 4, 10, 0.6), row("synthetic", 4, 40, 0.7)};
  const Chart by_images = scaling_charts(rows, "images_per_class").at(0);
  ASSERT_EQ(by_images.series.size(), 2U);
  EXPECT_EQ(by_images.series[1].name, "synthetic (class), shots 4");
  EXPECT_FALSE(by_images.log_x);
  const Chart by_shots = scaling_charts(rows, "shots").at(0);
  EXPECT_EQ(by_shots.series[0].name, "synthetic (class), images per class 10");
  EXPECT_EQ(by_shots.series[0].points, (std::vector<std::pair<double, double>>{{1, 40}, {4, 60}}));
}

/// With the work of drawing an image.
Json drawn(Json row, const std::string& sampler, int steps, double flops) {
  row["sampler"] = sampler;
  row["sample_steps"] = steps;
  row["effort"] = {{"draw", {{"images", 10}, {"passes", 2 * steps}, {"image_flops", flops}}}};
  return row;
}

TEST(Cost, DrawsALineForWhatDiffersInTheStepsAlone) {
  const Json rows{row("real", 16, 0, 0.6),
                  drawn(row("synthetic", 16, 10, 0.5), "ddim", 10, 4.0004e9),
                  drawn(row("synthetic", 16, 10, 0.7), "ddim", 50, 2e10),
                  drawn(row("synthetic", 16, 10, 0.6), "euler", 10, 4e9)};
  const std::vector<Chart> charts = dd::report::cost_charts(rows);
  ASSERT_EQ(charts.size(), 1U);
  ASSERT_EQ(charts[0].series.size(), 3U);
  EXPECT_EQ(charts[0].series[0].name, "synthetic (class), ddim");
  EXPECT_EQ(charts[0].series[0].points,
            (std::vector<std::pair<double, double>>{{4, 50}, {20, 70}}));
  EXPECT_EQ(charts[0].series[1].name, "synthetic (class), euler");
  EXPECT_EQ(charts[0].series[1].points.size(), 1U) << "a single point has a cost too";
  EXPECT_TRUE(charts[0].series[2].dashed) << "real images cost nothing to draw";
  EXPECT_TRUE(dd::report::cost_charts({rows[0], rows[1], rows[3]}).empty()) << "all cost the same";
}

TEST(Scaling, MoreLinesThanColoursMakeAChartForEachMethod) {
  Json rows = Json::array();
  for (const char* method : {"synthetic", "synthetic+real"}) {
    for (int shots = 1; shots <= 5; ++shots) {
      rows.push_back(row(method, shots, 10, 0.5));
      rows.push_back(row(method, shots, 20, 0.5));
    }
  }
  const std::vector<Chart> charts = scaling_charts(rows, "images_per_class");
  ASSERT_EQ(charts.size(), 2U);
  EXPECT_EQ(charts[1].title, "Top-1 % over images per class: synthetic+real (class)");
  EXPECT_EQ(charts[1].series.size(), 5U);
}

TEST(SweepReport, HoldsPlotsTableAndSettings) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "sweep.json";
  dd::write_json(file, {{"settings", {{"data", "<photos>"}}},
                        {"planned_cells", 9},
                        {"cells", {Json::object(), Json::object()}},
                        {"rows", {row("synthetic", 16, 10, 0.5), row("synthetic", 16, 20, 0.7)}}});
  dd::report::write_sweep_report(folder.path());
  const std::string page = dd::read_file(folder.path() / "report.html");
  EXPECT_NE(page.find("&lt;photos&gt;: 2 of 9 cells measured"), std::string::npos);
  EXPECT_NE(page.find("<b>70.00 ± 1.00</b></td><td>69.00, 71.00</td>"), std::string::npos);
  EXPECT_NE(page.find("Top-1 % over images per class"), std::string::npos);
  dd::write_json(file, {{"rows", "none"}});
  EXPECT_THROW(dd::report::write_sweep_report(folder.path()), dd::Error);
  std::filesystem::remove(file);
  EXPECT_THROW(dd::report::write_sweep_report(folder.path()), dd::Error);
}

}  // namespace
