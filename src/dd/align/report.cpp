// SPDX-License-Identifier: Apache-2.0
#include "dd/align/report.h"

#include <cmath>
#include <iomanip>
#include <sstream>

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
constexpr int kWidth = 10;
constexpr Column kColumns[] = {{"real", "n_real", 0},      {"synthetic", "n_synthetic", 0},
                               {"fid", "fid", 3},          {"fid_inf", "fid_infinity", 3},
                               {"kid", "kid", 5},          {"kid_std", "kid_std", 5},
                               {"cmmd", "cmmd", 4},        {"precision", "precision", 3},
                               {"recall", "recall", 3},    {"density", "density", 3},
                               {"coverage", "coverage", 3}};

std::string table_row(const std::string& name, const Json& measured, int name_width) {
  std::ostringstream row;
  row << std::left << std::setw(name_width) << name << std::right << std::fixed;
  for (const Column& column : kColumns) {
    const Json value = measured.value(column.key, Json());
    row << std::setw(kWidth) << std::setprecision(column.decimals);
    if (value.is_number()) {
      row << value.get<double>();
    } else {
      row << '-';
    }
  }
  row << '\n';
  return row.str();
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
  std::size_t widest = 5;
  for (const Json& measured : metrics.at("per_class")) {
    widest = std::max(widest, measured.at("class").get<std::string>().size());
  }
  const int name_width = static_cast<int>(widest) + 1;
  std::ostringstream table;
  table << std::left << std::setw(name_width) << "class" << std::right;
  for (const Column& column : kColumns) table << std::setw(kWidth) << column.title;
  table << '\n' << table_row("all", metrics, name_width);
  for (const Json& measured : metrics.at("per_class")) {
    table << table_row(measured.at("class").get<std::string>(), measured, name_width);
  }
  const Json& copies = metrics.at("copies");
  table << "near copies of " << (copies.at("against") == "shots" ? "shots" : "real images") << ": "
        << copies.at("flagged").get<std::int64_t>() << " of "
        << metrics.at("n_synthetic").get<std::int64_t>() << " synthetic images\n";
  return table.str();
}

}  // namespace dd::align
