// SPDX-License-Identifier: Apache-2.0
#include "dd/align/report.h"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "dd/core/text_table.h"

namespace dd::align {
namespace {

/// null for NaN.
Json number(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

struct Column {
  const char* title;
  const char* key;
  int decimals;
};
constexpr Column kColumns[] = {{"real", "n_real", 0},      {"synthetic", "n_synthetic", 0},
                               {"fid", "fid", 3},          {"fid_inf", "fid_infinity", 3},
                               {"kid", "kid", 5},          {"kid_std", "kid_std", 5},
                               {"cmmd", "cmmd", 4},        {"precision", "precision", 3},
                               {"recall", "recall", 3},    {"density", "density", 3},
                               {"coverage", "coverage", 3}};

std::vector<std::string> table_line(const std::string& name, const Json& measured) {
  std::vector<std::string> line{name};
  for (const Column& column : kColumns) {
    const Json value = measured.value(column.key, Json());
    std::ostringstream text;
    text << std::fixed << std::setprecision(column.decimals);
    if (value.is_number()) {
      text << value.get<double>();
    } else {
      text << '-';
    }
    line.push_back(text.str());
  }
  return line;
}

}  // namespace

Json alignment_json(const Alignment& alignment) {
  Json json{{"n_real", alignment.real}, {"n_synthetic", alignment.synthetic}};
  Json intervals = Json::object();
  for (std::size_t i = 0; i < kAlignmentFigures.size(); ++i) {
    const std::string name = kAlignmentFigures[i];
    json[name] = number(alignment.figures[i]);
    if (name == "fid") json["fid_infinity"] = number(alignment.fid_infinity.value_or(std::nan("")));
    if (name == "kid") json["kid_std"] = number(alignment.kid_deviation);
    const Interval& interval = alignment.intervals[i];
    if (!std::isnan(interval.low)) intervals[name] = {interval.low, interval.high};
  }
  json["kid_subset_mean"] = number(alignment.kid_subset_mean);
  json["kid_subset_size"] = alignment.kid_subset_size;
  json["intervals"] = intervals;
  json["cautions"] = alignment.cautions;
  return json;
}

Json copies_json(const CopyCheck& check, std::int64_t shots) {
  const auto images = static_cast<double>(check.flagged.size());
  return {{"against", check.shots ? "shots" : "real"},
          {"shots", shots},
          {"quantile", check.quantile},
          {"threshold", check.threshold},
          {"flagged", check.count()},
          {"share", static_cast<double>(check.count()) / images}};
}

std::string alignment_table(const Json& metrics) {
  std::vector<std::string> titles{"class"};
  for (const Column& column : kColumns) titles.emplace_back(column.title);
  std::vector<std::vector<std::string>> lines{titles, table_line("all", metrics)};
  for (const Json& measured : metrics.at("per_class")) {
    lines.push_back(table_line(measured.at("class").get<std::string>(), measured));
  }
  const Json& copies = metrics.at("copies");
  return cat(text_table(lines), "near copies of ",
             copies.at("against") == "shots" ? "shots" : "real images", ": ",
             copies.at("flagged").get<std::int64_t>(), " of ",
             metrics.at("n_synthetic").get<std::int64_t>(), " synthetic images\n");
}

}  // namespace dd::align
