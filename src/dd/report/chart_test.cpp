// SPDX-License-Identifier: Apache-2.0
#include "dd/report/chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dd/core/json.h"

namespace {

using dd::report::Chart;
using dd::report::chart_figure;
using dd::report::ChartKind;

/// What the figure hands to the script.
dd::Json data_of(const std::string& figure) {
  const std::string open = "<script type=\"application/json\">";
  const std::size_t start = figure.find(open) + open.size();
  return dd::Json::parse(figure.substr(start, figure.find("</script>", start) - start));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Chart, HoldsItsNumbersForTheScriptAndAsATable) {
  const std::string figure = chart_figure(
      {.title = "Loss & more",
       .x_name = "step",
       .series = {{"train", {{10, 0.5}, {20, std::nan("")}, {30, 0.25}}},
                  {.name = "<val>", .points = {{10, 1}, {30, 2}}, .deviation = {0.5, 0.125}}}});
  const dd::Json data = data_of(figure);
  EXPECT_EQ(data.at("kind"), "line");
  EXPECT_EQ(data.at("series")[0].at("points"), (dd::Json{{10, 0.5}, {30, 0.25}}));
  EXPECT_EQ(data.at("series")[1].at("deviation"), (dd::Json{0.5, 0.125}));
  EXPECT_NE(figure.find("Loss &amp; more"), std::string::npos);
  EXPECT_NE(figure.find("<th>&lt;val&gt;</th>"), std::string::npos);
  EXPECT_NE(figure.find("<tr><th>30</th><td>0.2500</td><td>2 ± 0.1250</td></tr>"),
            std::string::npos)
      << figure;
}

TEST(Chart, IsNothingWithoutNumbers) {
  EXPECT_EQ(chart_figure({.title = "t", .x_name = "x"}), "");
  EXPECT_EQ(chart_figure({.title = "t", .x_name = "x", .series = {{"nan", {{1, std::nan("")}}}}}),
            "");
  // Where x is drawn by its logarithm, 0 has no place.
  EXPECT_EQ(
      chart_figure({.title = "t", .x_name = "x", .series = {{"zero", {{0, 1}}}}, .log_x = true}),
      "");
}

TEST(Chart, ThinsLongTablesButKeepsTheLastRowAndEveryPoint) {
  Chart chart{.title = "t", .x_name = "x", .series = {{"long", {}}}};
  for (int i = 1; i <= 1001; ++i) chart.series[0].points.emplace_back(i, i);
  const std::string figure = chart_figure(chart);
  EXPECT_EQ(data_of(figure).at("series")[0].at("points").size(), 1001U);
  EXPECT_LE(count(figure, "<tr>"), 42U);
  EXPECT_NE(figure.find("<tr><th>1001</th>"), std::string::npos);
}

TEST(Chart, NamesCategoriesInItsTable) {
  const std::string figure = chart_figure({.title = "t",
                                           .kind = ChartKind::kBar,
                                           .x_name = "%",
                                           .series = {{"top-1", {{0, 50}, {1, 75.5}}}},
                                           .categories = {"real", "both"}});
  EXPECT_NE(figure.find("<tr><th>both</th><td>75.50</td></tr>"), std::string::npos) << figure;
  EXPECT_EQ(data_of(figure).at("categories"), (dd::Json{"real", "both"}));
}

TEST(Chart, CloudsHaveNoTable) {
  const std::string figure = chart_figure({.title = "t",
                                           .kind = ChartKind::kScatter,
                                           .x_name = "",
                                           .series = {{"cloud", {{1, 2}, {3, 4}}}}});
  EXPECT_EQ(figure.find("<table"), std::string::npos);
}

}  // namespace
