// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "dd/core/error.h"
#include "dd/report/chart.h"
#include "dd/report/html.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace {

constexpr std::size_t kMostDrawn = 40;  ///< classes beyond which charts and matrices are unreadable
constexpr std::size_t kPairs = 15;

std::string percent(double share) {
  return std::isfinite(share) ? fixed(100 * share, 1) : "–";
}

std::string class_chart(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  if (saved.class_names.size() > kMostDrawn) return {};
  Chart chart{.title = "Top-1 by class, %",
              .kind = ChartKind::kDots,
              .x_name = "top-1 %",
              .categories = saved.class_names};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const MethodScores& method = scores[i];
    Series series{.name = method.name, .points = {}, .colour = static_cast<int>(i)};
    for (std::size_t label = 0; label < method.per_class.size(); ++label) {
      series.points.emplace_back(static_cast<double>(label), 100 * method.per_class[label]);
    }
    chart.series.push_back(std::move(series));
  }
  return chart_figure(chart);
}

/// A method's matrix: rows are the truth, cells shares of their row.
std::string matrix(const SavedRun& saved, const MethodScores& method) {
  std::string head = "<th>truth \\ predicted</th>";
  for (const std::string& name : saved.class_names) head += cell("th", name);
  std::string body;
  for (std::size_t label = 0; label < saved.class_names.size(); ++label) {
    std::int64_t total = 0;
    for (const std::int64_t count : method.confusion[label]) total += count;
    body += "<tr>" + cell("th", saved.class_names[label]);
    for (std::size_t found = 0; found < saved.class_names.size(); ++found) {
      const auto count = static_cast<double>(method.confusion[label][found]);
      const double share = total > 0 ? count / static_cast<double>(total) : 0;
      body += cat("<td", label == found ? " class=\"right\"" : "", " style=\"--v:", fixed(share, 3),
                  "\">", fixed(100 * share, 0), "</td>");
    }
    body += "</tr>\n";
  }
  return cat("<div class=\"wide\"><table class=\"confusion\"><thead><tr>", head,
             "</tr></thead><tbody>\n", body, "</tbody></table></div>\n");
}

struct Confused {
  double share;
  std::size_t label;
  std::size_t found;
};

std::string pairs(const SavedRun& saved, const MethodScores& method) {
  std::vector<Confused> all;
  for (std::size_t label = 0; label < method.confusion.size(); ++label) {
    double total = 0;
    for (const std::int64_t count : method.confusion[label]) total += static_cast<double>(count);
    for (std::size_t found = 0; found < method.confusion.size(); ++found) {
      const auto count = static_cast<double>(method.confusion[label][found]);
      if (found != label && count > 0) all.push_back({count / total, label, found});
    }
  }
  std::ranges::stable_sort(all, std::greater(), &Confused::share);
  all.resize(std::min(all.size(), kPairs));
  std::string rows;
  for (const Confused& pair : all) {
    rows +=
        cat("<tr>", cell("th", saved.class_names[pair.label]),
            cell("td", saved.class_names[pair.found]), cell("td", percent(pair.share)), "</tr>\n");
  }
  return cat(
      "<div class=\"wide\"><table><thead><tr><th>truth</th><th>taken for</th><th>% of its "
      "images</th></tr></thead><tbody>\n",
      rows, "</tbody></table></div>\n");
}

}  // namespace

std::string class_section(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  std::string head = "<th>class</th>";
  for (const MethodScores& method : scores) head += cell("th", method.name);
  std::string rows;
  for (std::size_t label = 0; label < saved.class_names.size(); ++label) {
    rows += "<tr>" + cell("th", saved.class_names[label]);
    for (const MethodScores& method : scores) rows += cell("td", percent(method.per_class[label]));
    rows += "</tr>\n";
  }
  const std::string chart = class_chart(saved, scores);
  if (!chart.empty()) return section("classes", "Accuracy by class", chart);
  return section("classes", "Accuracy by class (top-1 %)",
                 cat("<div class=\"wide\"><table><thead><tr>", head, "</tr></thead><tbody>\n", rows,
                     "</tbody></table></div>\n"));
}

std::string confusion_section(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  const bool small = saved.class_names.size() <= kMostDrawn;
  std::string body = cat("<p class=\"note\">",
                         small ? "Percent of each class's images, over all seeds; the diagonal is "
                                 "right."
                               : "The pairs that are confused most, over all seeds.",
                         "</p>\n");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    // The method that the summary ends with is what the run is about.
    body += cat("<details", i + 1 == scores.size() ? " open" : "", "><summary>",
                escape(scores[i].name), "</summary>\n",
                small ? matrix(saved, scores[i]) : pairs(saved, scores[i]), "</details>\n");
  }
  return section("confusion", "What is taken for what", body);
}

}  // namespace dd::report
