// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/table.h"

#include <algorithm>
#include <array>
#include <set>

#include "dd/core/csv.h"
#include "dd/core/statistics.h"
#include "dd/core/text_table.h"
#include "dd/report/html.h"
#include "dd/report/summary.h"

namespace dd::sweep {
namespace {

constexpr const char* kWhere = "sweep";

std::string plain(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Json settings_of(const Json& cell) {
  Json settings = Json::object();
  for (const std::string& column : setting_columns()) settings[column] = cell.value(column, Json());
  return settings;
}

std::string row_name(const Json& row) {
  const std::string mode = plain(row.at("mode"));
  const std::string method = plain(row.at("method"));
  return mode == "none" ? method : method + " (" + mode + ")";
}

std::string accuracy(const Json& row) {
  std::string mean = report::fixed(100 * row.at("top1").get<double>(), 2);
  if (row.at("deviation").is_null()) return mean;
  return mean + " ± " + report::fixed(100 * row.at("deviation").get<double>(), 2);
}

/// A part of the work of drawing one image; null for methods that draw none.
Json drawing(const Json& row, const char* part) {
  const Json draw = row.value("effort", Json::object()).value("draw", Json::object());
  return draw.value("images", 0) > 0 ? draw.value(part, Json()) : Json();
}

bool differs(const Json& rows, const std::string& column) {
  std::set<std::string> values;
  for (const Json& row : rows) {
    if (!row.at(column).is_null()) values.insert(row.at(column).dump());
  }
  return values.size() > 1;
}

bool drawing_differs(const Json& rows) {
  std::set<std::string> values;
  for (const Json& row : rows) {
    if (const Json flops = drawing(row, "image_flops"); !flops.is_null()) {
      values.insert(flops.dump());
    }
  }
  return values.size() > 1;
}

}  // namespace

const std::vector<std::string>& setting_columns() {
  static const std::vector<std::string> columns{
      "method",        "mode",         "shots",    "images_per_class",  "adapt_steps",
      "sampler",       "sample_steps", "guidance", "guidance_interval", "cache_every",
      "decode_shrink", "lambda",       "protocol"};
  return columns;
}

Json group_cells(const Json& cells) {
  Json rows = Json::array();
  for (const Json& cell : cells) {
    const Json settings = settings_of(cell);
    auto found =
        std::ranges::find_if(rows, [&](const Json& row) { return settings_of(row) == settings; });
    if (found == rows.end()) {
      Json row = settings;
      row["seeds"] = Json::array();
      row["top1_by_seed"] = Json::array();
      row["seconds"] = 0.0;
      row["effort"] = cell.value("effort", Json::object());
      rows.push_back(std::move(row));
      found = rows.end() - 1;
    }
    Json& row = *found;
    row["seeds"].push_back(json_required<std::int64_t>(cell, "seed", kWhere));
    row["top1_by_seed"].push_back(json_required<double>(cell, "top1", kWhere));
    row["n"] = json_required<std::int64_t>(cell, "n", kWhere);
    row["seconds"] = row["seconds"].get<double>() + json_required<double>(cell, "seconds", kWhere);
  }
  for (Json& row : rows) {
    const auto scores = row["top1_by_seed"].get<std::vector<double>>();
    const Spread spread = spread_of(scores);
    row["top1"] = spread.mean;
    row["deviation"] = scores.size() > 1 ? Json(spread.deviation) : Json();
    row["seconds"] = row["seconds"].get<double>() / static_cast<double>(scores.size());
  }
  return rows;
}

std::string sweep_table(const Json& rows) {
  // Always shown, with a name that says more than the key.
  std::vector<std::pair<std::string, std::string>> columns{{"shots", "shots"},
                                                           {"images_per_class", "images a class"}};
  for (const std::string& column : setting_columns()) {
    constexpr std::array kShown{"method", "mode", "shots", "images_per_class"};
    if (std::ranges::find(kShown, column) == kShown.end() && differs(rows, column)) {
      std::string name = column;
      std::ranges::replace(name, '_', ' ');
      columns.emplace_back(column, name);
    }
  }
  std::vector<std::vector<std::string>> lines(1);
  lines[0].emplace_back("method");
  for (const auto& [key, name] : columns) lines[0].push_back(name);
  for (const char* name : {"top-1 %", "seeds", "test images", "seconds"}) {
    lines[0].emplace_back(name);
  }
  const bool costs_differ = drawing_differs(rows);
  if (costs_differ) {
    for (const char* name : {"passes", "FLOPs an image"}) lines[0].emplace_back(name);
  }
  const std::vector<std::string> efforts = report::effort_columns();
  lines[0].insert(lines[0].end(), efforts.begin(), efforts.end());
  for (const Json& row : rows) {
    auto& line = lines.emplace_back();
    line.push_back(row_name(row));
    for (const auto& [key, name] : columns) line.push_back(plain(row.at(key)));
    line.push_back(accuracy(row));
    line.push_back(std::to_string(row.at("seeds").size()));
    line.push_back(plain(row.at("n")));
    line.push_back(report::fixed(row.at("seconds").get<double>(), 0));
    if (costs_differ) {
      const Json flops = drawing(row, "image_flops");
      line.push_back(plain(drawing(row, "passes")));
      line.push_back(report::flops_text(flops.is_number() ? flops.get<double>() : 0));
    }
    for (std::string& text : report::effort_texts(row.at("effort")))
      line.push_back(std::move(text));
  }
  return text_table(lines);
}

std::string cells_csv(const Json& cells) {
  std::vector<std::string> columns = setting_columns();
  for (const char* name : {"seed", "split", "top1", "n", "seconds", "evaluation"}) {
    columns.emplace_back(name);
  }
  // Of drawing one image.
  constexpr std::array kCosts{"evaluations", "passes", "shallow_passes", "image_flops"};
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ",") + column;
  for (const char* name : kCosts) text += cat(",", name);
  text += "\n";
  for (const Json& cell : cells) {
    std::string line;
    for (const std::string& column : columns) {
      line += (column == columns.front() ? "" : ",") + csv_field(plain(cell.value(column, Json())));
    }
    for (const char* name : kCosts) line += "," + plain(drawing(cell, name));
    text += line + "\n";
  }
  return text;
}

}  // namespace dd::sweep
