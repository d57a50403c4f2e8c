// SPDX-License-Identifier: Apache-2.0
#include "dd/report/sections.h"

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"
#include "dd/report/chart.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"

namespace dd::report {
namespace {

// A page of many classes shows less of each, so that it stays a page that a browser opens.
constexpr std::size_t kMostPictures = 6;  ///< of a class and kind
constexpr std::size_t kPictureBudget = 240;
constexpr std::size_t kMostClasses = 200;

std::string picture_column(const SavedRun& saved, const std::string& title, const std::string& set,
                           std::size_t label) {
  const std::size_t each =
      std::clamp<std::size_t>(kPictureBudget / saved.class_names.size(), 1, kMostPictures);
  std::string images;
  for (const Image& image : saved.pictures(set, label, each)) {
    images += picture(image, title + ": " + saved.class_names[label]);
  }
  if (images.empty()) return {};
  return cat("<div><h4>", escape(title), "</h4><p class=\"pictures\">", images, "</p></div>\n");
}

std::string percent(double share) {
  return std::isfinite(share) ? fixed(100 * share, 2) : "–";
}

std::string summary_chart(const std::vector<MethodScores>& scores) {
  Chart chart{
      .title = "Top-1 accuracy, %", .kind = ChartKind::kBar, .x_name = "top-1 %", .series = {{}}};
  Series& series = chart.series.front();
  series.name = "top-1 %";
  for (const MethodScores& method : scores) {
    const auto place = static_cast<double>(chart.categories.size());
    series.points.emplace_back(place, 100 * method.row.mean);
    series.deviation.push_back(100 * method.row.deviation);
    chart.categories.push_back(method.name);
  }
  return chart_figure(chart);
}

/// The seeds' own values, which a mean of three hides.
std::string seed_values(const SavedRun& saved, const std::string& method) {
  std::string values;
  for (const Json& entry : saved.results) {
    if (name_of_result(entry) != method) continue;
    values += cat(values.empty() ? "" : ", ",
                  percent(json_required<double>(entry, "top1", "results.json")));
  }
  return values;
}

std::string protocols(const SavedRun& saved) {
  std::vector<std::string> names;
  for (const Json& entry : saved.results) {
    const auto name = json_value<std::string>(entry, "protocol", "", "results.json");
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  std::string text;
  for (const std::string& name : names) text += cat(text.empty() ? "" : ", ", name);
  return text;
}

}  // namespace

std::string summary_section(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  std::string rows;
  std::int64_t n = 0;
  const bool several =
      std::ranges::any_of(scores, [](const auto& one) { return one.row.runs > 1; });
  for (const MethodScores& method : scores) {
    const SummaryRow& row = method.row;
    n = row.n;
    rows += cat("<tr>", cell("th", method.name), "<td><b>", accuracy_text(row), "</b></td>",
                several ? cell("td", seed_values(saved, method.name)) : "",
                cell("td", cat(row.runs)), cell("td", cat(row.n)), cell("td", percent(method.top5)),
                cell("td", percent(method.ece)),
                cell("td", fixed(row.seconds, row.seconds < 10 ? 1 : 0)), "</tr>\n");
  }
  const Json settings = member(saved.run, "settings");
  const auto split = json_value<std::string>(settings, "test_split", "test", "run.json");
  return section(
      "summary", "Accuracy",
      cat("<div class=\"wide\"><table><thead><tr><th>method</th><th>top-1 %</th>",
          several ? "<th>each seed</th>" : "",
          "<th>seeds</th><th>images</th><th>top-5 %</th><th>calibration error %</th>"
          "<th>seconds</th></tr></thead><tbody>\n",
          rows, "</tbody></table></div>\n<p class=\"note\">Measured on ", n, " images (",
          escape(split), "), which were used for nothing else (protocol ", escape(protocols(saved)),
          "). After ± stands the sample standard deviation over "
          "seeds. Seconds: adaptation, generation and training of one seed; methods that share a "
          "stage count it each.</p>\n",
          summary_chart(scores)));
}

const std::vector<std::pair<std::string, std::string>>& picture_kinds() {
  static const std::vector<std::pair<std::string, std::string>> kinds{
      {"frozen", "model as it is"},
      {"disef", "noised shots"},
      {"class", "adapted, class"},
      {"dataset", "adapted, dataset"}};
  return kinds;
}

std::string picture_section(const SavedRun& saved) {
  std::string body;
  const std::size_t shown = std::min(saved.class_names.size(), kMostClasses);
  for (std::size_t label = 0; label < shown; ++label) {
    std::string columns;
    for (const auto& [kind, name] : picture_kinds()) {
      columns += picture_column(saved, name, "generate-" + kind, label);
    }
    body += cat("<article><h3>", escape(saved.class_names[label]), "</h3><div class=\"columns\">\n",
                picture_column(saved, "real shots", "shots", label), columns, "</div></article>\n");
  }
  if (shown < saved.class_names.size()) {
    body += cat("<p class=\"note\">The first ", shown, " of ", saved.class_names.size(),
                " classes.</p>\n");
  }
  return section("pictures", cat("Pictures (seed ", saved.seed, ")"), body);
}

std::vector<HashedFile> hashed_files(const SavedRun& saved) {
  std::vector<std::string> names;
  const auto seeds = json_value<std::vector<std::int64_t>>(saved.run, "seeds", {}, "run.json");
  for (const std::int64_t seed : seeds) names.push_back(cat("seed-", seed, "/shots.json"));
  for (const Json& entry : saved.results) {
    const auto stage = json_value<std::string>(entry, "classifier", "", "results.json");
    if (!stage.empty()) names.push_back(stage + "/adapter_model.safetensors");
  }
  std::vector<HashedFile> files;
  for (const std::string& name : names) files.push_back({name, saved.inside(name)});
  return files;
}

}  // namespace dd::report
