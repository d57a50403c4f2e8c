// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dd::report {

/// A line of a chart.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< by ascending x
  bool dashed = false;
};

/// A <figure> with an inline SVG, drawn in the page's own colours (classes s0 … s5), and a legend.
/// Points that are not finite are left out. Empty when there is nothing to draw.
std::string line_chart(const std::string& title, const std::string& x_name,
                       const std::vector<Series>& series);

}  // namespace dd::report
