// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/report/chart.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace {

std::string adaptation_chart(const SavedRun& saved, const std::string& mode,
                             const std::string& title) {
  return chart_figure({.title = title,
                       .x_name = "step",
                       .y_name = "loss",
                       .series = adaptation_curves(saved, mode)});
}

/// A curve of every classifier of the shown seed.
std::vector<Series> classifier_curves(const SavedRun& saved,
                                      const std::vector<MethodScores>& scores, const char* curve) {
  std::vector<Series> series;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i].shown.is_null()) continue;
    const auto name = json_value<std::string>(scores[i].shown, "classifier", "", "results.json");
    if (name.empty()) continue;
    const Json record = read_json(saved.inside(name) / "classifier.json");
    const Json curves = member(record, "curves");
    // The colour that the method has in every chart.
    series.push_back({.name = scores[i].name,
                      .points = curve_of(member(curves, curve)),
                      .colour = static_cast<int>(i)});
  }
  return series;
}

}  // namespace

std::string curve_section(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  const std::string charts =
      adaptation_chart(saved, "dataset", "Adaptation, dataset mode") +
      adaptation_chart(saved, "class", "Adaptation, class mode (mean over the classes)") +
      chart_figure({.title = "Classifiers: training loss",
                    .x_name = "step",
                    .y_name = "loss",
                    .series = classifier_curves(saved, scores, "loss")}) +
      chart_figure({.title = "Classifiers: loss on validation images",
                    .x_name = "step",
                    .y_name = "loss",
                    .series = classifier_curves(saved, scores, "validation_loss")}) +
      chart_figure({.title = "Classifiers: accuracy on validation images",
                    .x_name = "step",
                    .y_name = "top-1",
                    .series = classifier_curves(saved, scores, "validation_top1")});
  if (charts.empty()) return {};
  return section("curves", cat("Curves (seed ", saved.seed, ")"),
                 "<div class=\"charts\">" + charts + "</div>\n");
}

}  // namespace dd::report
