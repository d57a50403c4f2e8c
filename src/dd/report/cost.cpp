// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/report/chart.h"
#include "dd/report/html.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace {

constexpr std::size_t kMostDrawn = 40;

std::string duration(double seconds) {
  if (seconds < 60) return fixed(seconds, 1) + " s";
  if (seconds < 3600) return fixed(seconds / 60, 1) + " min";
  return fixed(seconds / 3600, 1) + " h";
}

}  // namespace

std::string cost_section(const SavedRun& saved) {
  if (saved.stages.empty()) return {};
  Chart chart{.title = "Seconds by stage",
              .kind = ChartKind::kBar,
              .x_name = "seconds",
              .series = {{.name = "seconds", .points = {}}}};
  std::string rows;
  double total = 0;
  for (const auto& [stage, entry] : saved.stages.items()) {
    const auto seconds = json_required<double>(entry, "seconds", "stages.json");
    const auto peak = json_value<double>(entry, "peak_memory", 0, "stages.json");
    total += seconds;
    chart.series.front().points.emplace_back(chart.categories.size(), seconds);
    chart.categories.push_back(stage);
    rows += cat("<tr>", cell("th", stage), cell("td", duration(seconds)),
                cell("td", peak > 0 ? bytes_text(peak) : "–"), "</tr>\n");
  }
  const bool drawn = chart.categories.size() <= kMostDrawn;
  return section(
      "cost", "Time and memory",
      cat("<div class=\"charts\"><div><div class=\"wide\"><table><thead><tr><th>stage</th>"
          "<th>time</th><th>peak memory</th></tr></thead><tbody>\n",
          rows, "<tr class=\"group\">", cell("th", "all stages"), cell("td", duration(total)),
          "<td></td></tr>\n</tbody></table></div>\n<p class=\"note\">Memory: the most that the "
          "process had resident while the stage ran, models and data included, GPU memory "
          "not.</p></div>\n",
          drawn ? chart_figure(chart) : "", "</div>\n"));
}

}  // namespace dd::report
