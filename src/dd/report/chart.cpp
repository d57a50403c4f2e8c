// SPDX-License-Identifier: Apache-2.0
#include "dd/report/chart.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "dd/core/json.h"
#include "dd/report/html.h"

namespace dd::report {
namespace {

constexpr std::size_t kTableRows = 40;

bool by_category(const Chart& chart) {
  return chart.kind == ChartKind::kBar || chart.kind == ChartKind::kDots;
}

const char* name_of(ChartKind kind) {
  switch (kind) {
    case ChartKind::kScatter:
      return "scatter";
    case ChartKind::kBar:
      return "bar";
    case ChartKind::kDots:
      return "dots";
    case ChartKind::kLine:
      break;
  }
  return "line";
}

/// Drops points that are not finite, and series that have no others.
Chart finite_part(Chart chart) {
  for (Series& series : chart.series) {
    Series kept{
        .name = series.name, .points = {}, .dashed = series.dashed, .colour = series.colour};
    const bool deviates = series.deviation.size() == series.points.size();
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const auto& [x, y] = series.points[i];
      if (!std::isfinite(x) || !std::isfinite(y) || (chart.log_x && x <= 0)) continue;
      kept.points.push_back(series.points[i]);
      if (deviates) kept.deviation.push_back(series.deviation[i]);
    }
    series = std::move(kept);
  }
  std::erase_if(chart.series, [](const Series& series) { return series.points.empty(); });
  return chart;
}

/// What page.js reads. No "<" is left that could end the element around it.
std::string data_of(const Chart& chart) {
  Json series = Json::array();
  for (const Series& one : chart.series) {
    Json entry{{"name", one.name}, {"points", one.points}, {"dashed", one.dashed}};
    if (one.colour >= 0) entry["colour"] = one.colour;
    if (!one.deviation.empty()) entry["deviation"] = one.deviation;
    series.push_back(std::move(entry));
  }
  const Json data{{"kind", name_of(chart.kind)},
                  {"x", chart.x_name},
                  {"y", chart.y_name},
                  {"logX", chart.log_x},
                  {"categories", chart.categories},
                  {"series", std::move(series)}};
  return in_script(data);
}

std::string number(double value) {
  if (value == std::round(value) && std::abs(value) < 1e9) return fixed(value, 0);
  return fixed(value, std::abs(value) < 10 ? 4 : 2);
}

std::string cell_text(const Series& series, std::size_t i) {
  std::string value = number(series.points[i].second);
  if (series.deviation.empty()) return value;
  return value + " ± " + number(series.deviation[i]);
}

/// One row for each x, one column for each series.
std::string table_of(const Chart& chart) {
  std::map<double, std::vector<std::string>> rows;
  std::string head = by_category(chart) ? "<th></th>" : cat("<th>", escape(chart.x_name), "</th>");
  for (std::size_t column = 0; column < chart.series.size(); ++column) {
    const Series& series = chart.series[column];
    head += cat("<th>", escape(series.name), "</th>");
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      auto& row = rows[series.points[i].first];
      row.resize(chart.series.size());
      row[column] = cell_text(series, i);
    }
  }
  const std::size_t stride = (rows.size() + kTableRows - 1) / kTableRows;
  std::string body;
  std::size_t place = 0;
  for (const auto& [x, cells] : rows) {
    ++place;
    if (!by_category(chart) && (rows.size() - place) % stride != 0) continue;
    const auto category = static_cast<std::size_t>(x);
    const std::string name = by_category(chart) && category < chart.categories.size()
                                 ? chart.categories[category]
                                 : number(x);
    body += cat("<tr><th>", escape(name), "</th>");
    for (const std::string& text : cells) body += cat("<td>", text, "</td>");
    body += "</tr>\n";
  }
  return cat(
      "<details class=\"numbers\" open><summary>Numbers</summary><div class=\"wide\">"
      "<table><thead><tr>",
      head, "</tr></thead><tbody>\n", body, "</tbody></table></div></details>\n");
}

/// Room for each category, or the stylesheet's height.
std::string height_of(const Chart& chart) {
  if (!by_category(chart)) return {};
  return cat(" style=\"height:", 90 + 30 * chart.categories.size(), "px\"");
}

}  // namespace

std::string chart_figure(const Chart& whole) {
  const Chart chart = finite_part(whole);
  if (chart.series.empty()) return {};
  const std::string title = escape(chart.title);
  return cat("<figure class=\"chart\"><figcaption>", title, "</figcaption>\n<div class=\"plot\"",
             height_of(chart), "><canvas role=\"img\" aria-label=\"", title,
             "\"></canvas></div>\n<script type=\"application/json\">", data_of(chart),
             "</script>\n", chart.kind == ChartKind::kScatter ? "" : table_of(chart),
             "</figure>\n");
}

}  // namespace dd::report
