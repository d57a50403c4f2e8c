// SPDX-License-Identifier: Apache-2.0
#include "dd/report/summary.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <locale>
#include <sstream>

#include "dd/core/statistics.h"
#include "dd/core/text_table.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"

namespace dd::report {
namespace {

/// Reading order: what one has without generated images first, the method itself last.
constexpr std::array kOrder{"zero-shot", "real",       "frozen",    "frozen+real",
                            "disef",     "disef+real", "synthetic", "synthetic+real"};

std::size_t place(const std::string& method) {
  return static_cast<std::size_t>(std::ranges::find(kOrder, method) - kOrder.begin());
}

}  // namespace

std::vector<SummaryRow> summarise(const Json& results) {
  if (!results.is_array()) fail_input("results.json is not a list; run the chain again");
  std::vector<SummaryRow> rows;
  std::vector<std::vector<double>> scores;
  for (const Json& entry : results) {
    const auto method = json_required<std::string>(entry, "method", "results.json");
    const auto mode = json_value<std::string>(entry, "mode", "none", "results.json");
    auto found = std::ranges::find_if(
        rows, [&](const SummaryRow& row) { return row.method == method && row.mode == mode; });
    if (found == rows.end()) {
      rows.push_back({.method = method, .mode = mode});
      if (const Json effort = member(entry, "effort"); effort.is_object()) {
        rows.back().effort = effort;
      }
      scores.emplace_back();
      found = rows.end() - 1;
    }
    scores[static_cast<std::size_t>(found - rows.begin())].push_back(
        json_required<double>(entry, "top1", "results.json"));
    found->n = json_required<std::int64_t>(entry, "n", "results.json");
    found->seconds += json_value<double>(entry, "seconds", 0, "results.json");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Spread spread = spread_of(scores[i]);
    rows[i].runs = std::ssize(scores[i]);
    rows[i].mean = spread.mean;
    rows[i].deviation = spread.deviation;
    rows[i].seconds /= static_cast<double>(rows[i].runs);
  }
  std::ranges::stable_sort(rows, {}, [](const SummaryRow& row) { return place(row.method); });
  return rows;
}

std::string row_name(const SummaryRow& row) {
  return row.mode == "none" ? row.method : row.method + " (" + row.mode + ")";
}

std::string name_of_result(const Json& entry) {
  return row_name({.method = json_required<std::string>(entry, "method", "results.json"),
                   .mode = json_value<std::string>(entry, "mode", "none", "results.json")});
}

std::string accuracy_text(const SummaryRow& row) {
  const std::string mean = fixed(100 * row.mean, 2);
  return row.runs > 1 ? mean + " ± " + fixed(100 * row.deviation, 2) : mean;
}

std::vector<std::string> effort_columns() {
  return {"trained on", "FLOPs adapting", "drawing", "training"};
}

std::string flops_text(double flops) {
  if (!(flops > 0)) return "-";
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::scientific << std::setprecision(1) << flops;
  std::string short_text = text.str();
  std::erase(short_text, '+');
  return short_text;
}

std::vector<std::string> effort_texts(const Json& effort) {
  const auto part = [&](const char* name) { return member(effort, name); };
  const auto images = json_value<std::int64_t>(part("train"), "images", 0, "results.json");
  std::vector<std::string> texts{images > 0 ? std::to_string(images) : "-"};
  for (const char* name : {"adapt", "draw", "train"}) {
    texts.push_back(flops_text(json_value<double>(part(name), "flops", 0, "results.json")));
  }
  return texts;
}

std::string summary_table(const std::vector<SummaryRow>& rows) {
  std::vector<std::vector<std::string>> lines{{"method", "top-1 %", "seeds", "images", "seconds"}};
  for (std::string& heading : effort_columns()) lines[0].push_back(std::move(heading));
  for (const SummaryRow& row : rows) {
    lines.push_back({row_name(row), accuracy_text(row), std::to_string(row.runs),
                     std::to_string(row.n), fixed(row.seconds, row.seconds < 10 ? 1 : 0)});
    for (std::string& text : effort_texts(row.effort)) lines.back().push_back(std::move(text));
  }
  return text_table(lines);
}

}  // namespace dd::report
