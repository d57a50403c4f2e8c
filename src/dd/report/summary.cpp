// SPDX-License-Identifier: Apache-2.0
#include "dd/report/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

namespace dd::report {
namespace {

/// Reading order: what one has without generated images first, the method itself last.
constexpr std::array kOrder{"zero-shot",   "real",      "frozen",
                            "frozen+real", "synthetic", "synthetic+real"};

std::size_t place(const std::string& method) {
  return static_cast<std::size_t>(std::ranges::find(kOrder, method) - kOrder.begin());
}

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

/// Columns on the screen: a multi-byte letter counts once.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns, bool right) {
  const std::string space(columns > width(text) ? columns - width(text) : 0, ' ');
  return right ? space + text : text + space;
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
      scores.emplace_back();
      found = rows.end() - 1;
    }
    scores[static_cast<std::size_t>(found - rows.begin())].push_back(
        json_required<double>(entry, "top1", "results.json"));
    found->n = json_required<std::int64_t>(entry, "n", "results.json");
    found->seconds += json_value<double>(entry, "seconds", 0, "results.json");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto count = static_cast<double>(scores[i].size());
    double squares = 0;
    for (const double score : scores[i]) rows[i].mean += score / count;
    for (const double score : scores[i]) squares += (score - rows[i].mean) * (score - rows[i].mean);
    rows[i].runs = std::ssize(scores[i]);
    rows[i].deviation = rows[i].runs > 1 ? std::sqrt(squares / (count - 1)) : 0;
    rows[i].seconds /= count;
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

std::string summary_table(const std::vector<SummaryRow>& rows) {
  std::vector<std::array<std::string, 5>> lines{
      {"method", "top-1 %", "seeds", "images", "seconds"}};
  for (const SummaryRow& row : rows) {
    lines.push_back({row_name(row), accuracy_text(row), std::to_string(row.runs),
                     std::to_string(row.n), fixed(row.seconds, row.seconds < 10 ? 1 : 0)});
  }
  std::array<std::size_t, 5> columns{};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) columns[i] = std::max(columns[i], width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += (i > 0 ? "  " : "") + padded(line[i], columns[i], i > 0);
    }
    text += '\n';
  }
  return text;
}

}  // namespace dd::report
