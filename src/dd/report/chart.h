// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dd::report {

/// A line, a cloud of points or the bars of one kind.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< lines: by ascending x
  bool dashed = false;
  int colour = -1;                  ///< one of the page's; -1 = by the series' own place
  std::vector<double> deviation{};  ///< of each point's y, as a band or a whisker; may be empty
};

enum class ChartKind {
  kLine,     ///< points joined
  kScatter,  ///< points alone
  kBar,      ///< lying bars, one a category; x of a point is the number of its category
  kDots,     ///< the same as points on a line, for several series
};

struct Chart {
  std::string title;
  ChartKind kind = ChartKind::kLine;
  std::string x_name;  ///< of the axis of values, for bars and dots
  std::string y_name{};
  std::vector<Series> series{};
  std::vector<std::string> categories{};  ///< bars and dots
  bool log_x = false;
};

/// A <figure> that page.js draws with Chart.js, in the page's own colours, and the same numbers as
/// a table: open where nothing draws, folded away otherwise. Long lines are thinned in the table
/// alone, clouds have none. Points that are not finite are left out. Empty when there is nothing to
/// draw.
std::string chart_figure(const Chart& chart);

}  // namespace dd::report
