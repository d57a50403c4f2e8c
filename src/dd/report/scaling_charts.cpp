// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "dd/core/error.h"
#include "dd/report/html.h"
#include "dd/report/summary.h"
#include "dd/report/sweep_report.h"
#include "dd/report/sweep_rows.h"

namespace dd::report {
namespace {

constexpr std::size_t kColours = 8;
constexpr double kWideRange = 8;  ///< beyond this ratio, steps of a factor read better

/// Rows that differ in one setting alone.
struct Line {
  std::string method;
  std::string name;
  std::map<double, const Json*> rows;  ///< by the setting
  const Json* constant = nullptr;      ///< where it means nothing
};

/// The setting's value; nothing where it has no meaning for the row.
std::optional<double> value_of(const Json& row, const std::string& setting) {
  const Json value = row.value(setting, Json());
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  const bool counted = setting == "shots" || setting == "images_per_class";
  if (counted && number == 0) return std::nullopt;
  return number;
}

/// The method, and what else tells this line from others.
std::string line_name(const Json& row, const std::vector<std::string>& varied,
                      const std::string& setting) {
  std::string name = name_of_result(row);
  for (const std::string& other : varied) {
    if (other == setting || !value_of(row, other)) continue;
    name += cat(", ", words_of(other), " ", plain_text(row.at(other)));
  }
  return name;
}

std::vector<Line> lines_over(const Json& rows, const std::string& setting) {
  std::vector<std::string> varied;
  for (const std::string& other : number_settings()) {
    std::set<double> values;
    for (const Json& row : rows) {
      if (const auto value = value_of(row, other)) values.insert(*value);
    }
    if (values.size() > 1) varied.push_back(other);
  }
  std::vector<Line> lines;
  for (const Json& row : rows) {
    const std::string name = cat(line_name(row, varied, setting), text_settings(row, rows));
    auto found = std::ranges::find(lines, name, &Line::name);
    if (found == lines.end()) {
      lines.push_back({.method = name_of_result(row), .name = name, .rows = {}});
      found = lines.end() - 1;
    }
    if (const auto value = value_of(row, setting)) {
      found->rows[*value] = &row;
    } else {
      found->constant = &row;
    }
  }
  return lines;
}

double percent(const Json& row, const char* key) {
  return 100 * json_value<double>(row, key, 0, "sweep.json");
}

Series series_of(const Line& line) {
  Series series{.name = line.name, .points = {}};
  for (const auto& [value, row] : line.rows) {
    series.points.emplace_back(value, percent(*row, "top1"));
    series.deviation.push_back(percent(*row, "deviation"));
  }
  return series;
}

Series constant_series(const Line& line, double low, double high) {
  const double mean = percent(*line.constant, "top1");
  const double deviation = percent(*line.constant, "deviation");
  return {.name = line.name,
          .points = {{low, mean}, {high, mean}},
          .dashed = true,
          .deviation = {deviation, deviation}};
}

Chart chart_of(const std::vector<Line>& lines, const std::string& setting) {
  Chart chart{.title = cat("Top-1 % over ", words_of(setting)),
              .x_name = words_of(setting),
              .y_name = "top-1 %"};
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const Line& line : lines) {
    if (line.rows.size() < 2) continue;
    low = std::min(low, line.rows.begin()->first);
    high = std::max(high, line.rows.rbegin()->first);
    chart.series.push_back(series_of(line));
  }
  if (chart.series.empty()) return chart;
  chart.log_x = low > 0 && high / low >= kWideRange;
  for (const Line& line : lines) {
    if (line.constant != nullptr) chart.series.push_back(constant_series(line, low, high));
  }
  return chart;
}

}  // namespace

std::vector<Chart> scaling_charts(const Json& rows, const std::string& setting) {
  const std::vector<Line> lines = lines_over(rows, setting);
  Chart whole = chart_of(lines, setting);
  if (whole.series.empty()) return {};
  if (whole.series.size() <= kColours) return {std::move(whole)};
  std::vector<Chart> charts;
  std::set<std::string> done;
  for (const Line& line : lines) {
    if (!done.insert(line.method).second) continue;
    std::vector<Line> own;
    std::ranges::copy_if(lines, std::back_inserter(own), [&](const Line& other) {
      return other.method == line.method && other.constant == nullptr;
    });
    Chart chart = chart_of(own, setting);
    if (chart.series.empty()) continue;
    chart.title += cat(": ", line.method);
    charts.push_back(std::move(chart));
  }
  return charts;
}

}  // namespace dd::report
