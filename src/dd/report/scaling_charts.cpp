// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "dd/core/error.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"
#include "dd/report/summary.h"
#include "dd/report/sweep_report.h"
#include "dd/report/sweep_rows.h"

namespace dd::report {
namespace {

constexpr std::size_t kColours = 8;
constexpr double kWideRange = 8;  ///< beyond this ratio, steps of a factor read better

/// What an axis shows, and the setting that changes along a line.
struct Axis {
  std::string key;    ///< a setting, or kCost
  std::string along;  ///< the same setting, or the one that makes it dearer
  std::string words;
};
constexpr const char* kCost = "image_flops";

/// Rows that differ in one setting alone.
struct Line {
  std::string method;
  std::string name;
  std::map<double, const Json*> rows;  ///< by the axis
  const Json* constant = nullptr;      ///< where it means nothing
};

/// Of drawing one image, in 10^9: three digits, which an axis has room for. Nothing for methods
/// that draw none.
std::optional<double> cost_of(const Json& row) {
  const Json draw = member(member(row, "effort"), "draw");
  const auto flops = json_value<double>(draw, kCost, 0, "sweep.json");
  if (!(flops > 0) || json_value<double>(draw, "images", 0, "sweep.json") == 0) return std::nullopt;
  const double unit = std::pow(10.0, std::floor(std::log10(flops)) - 2);
  return std::round(flops / unit) * unit / 1e9;
}

/// The setting's value; nothing where it has no meaning for the row.
std::optional<double> value_of(const Json& row, const std::string& setting) {
  if (setting == kCost) return cost_of(row);
  const Json value = member(row, setting);
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  const bool counted = setting == "shots" || setting == "images_per_class";
  if (counted && number == 0) return std::nullopt;
  return number;
}

/// The method, and what else tells this line from others.
std::string line_name(const Json& row, const std::vector<std::string>& varied,
                      const std::string& along) {
  std::string name = name_of_result(row);
  for (const std::string& other : varied) {
    if (other == along || !value_of(row, other)) continue;
    name += cat(", ", words_of(other), " ", plain_text(row.at(other)));
  }
  return name;
}

std::vector<Line> lines_over(const Json& rows, const Axis& axis) {
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
    const std::string name = cat(line_name(row, varied, axis.along), text_settings(row, rows));
    auto found = std::ranges::find(lines, name, &Line::name);
    if (found == lines.end()) {
      lines.push_back({.method = name_of_result(row), .name = name, .rows = {}});
      found = lines.end() - 1;
    }
    if (const auto value = value_of(row, axis.key)) {
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

Chart chart_of(const std::vector<Line>& lines, const Axis& axis) {
  Chart chart{.title = cat("Top-1 % over ", axis.words), .x_name = axis.words, .y_name = "top-1 %"};
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const Line& line : lines) {
    // A setting that was not varied says nothing; a cost does.
    if (line.rows.size() < (axis.key == kCost ? 1 : 2)) continue;
    low = std::min(low, line.rows.begin()->first);
    high = std::max(high, line.rows.rbegin()->first);
    chart.series.push_back(series_of(line));
  }
  if (chart.series.empty()) return chart;
  if (high == low) return {};
  chart.log_x = low > 0 && high / low >= kWideRange;
  for (const Line& line : lines) {
    if (line.constant != nullptr) chart.series.push_back(constant_series(line, low, high));
  }
  return chart;
}

std::vector<Chart> charts_over(const Json& rows, const Axis& axis) {
  const std::vector<Line> lines = lines_over(rows, axis);
  Chart whole = chart_of(lines, axis);
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
    Chart chart = chart_of(own, axis);
    if (chart.series.empty()) continue;
    chart.title += cat(": ", line.method);
    charts.push_back(std::move(chart));
  }
  return charts;
}

}  // namespace

std::vector<Chart> scaling_charts(const Json& rows, const std::string& setting) {
  return charts_over(rows, {setting, setting, words_of(setting)});
}

std::vector<Chart> cost_charts(const Json& rows) {
  return charts_over(rows, {kCost, "sample_steps", "10^9 FLOPs of drawing an image"});
}

}  // namespace dd::report
