// SPDX-License-Identifier: Apache-2.0
#include "dd/sweep/alignment.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "dd/core/complete_record.h"
#include "dd/core/files.h"
#include "dd/core/statistics.h"
#include "dd/core/text_table.h"
#include "dd/report/html.h"
#include "dd/report/summary.h"

namespace dd::sweep {
namespace {

using run::Cell;
using run::ImageSource;

struct Figure {
  const char* key;
  int decimals;
};
constexpr std::array kFigures{
    Figure{"kid", 4},    Figure{"fid_infinity", 2}, Figure{"cmmd", 3},    Figure{"precision", 3},
    Figure{"recall", 3}, Figure{"density", 3},      Figure{"coverage", 3}};
constexpr std::array kSettings{"method",      "mode",          "shots",      "images_per_class",
                               "sampler",     "sample_steps",  "guidance",   "guidance_interval",
                               "cache_every", "decode_shrink", "adapt_steps"};

Json settings_of(const Cell& cell) {
  const run::RunOptions& settings = cell.settings;
  // Methods that differ in the classifier alone share their images.
  static const std::map<ImageSource, const char*> kNames{{ImageSource::kFrozen, "frozen"},
                                                         {ImageSource::kShots, "disef"},
                                                         {ImageSource::kAdapted, "synthetic"}};
  return {{"method", kNames.at(cell.method.images)},
          {"mode", cell.mode},
          {"shots", cell.needs_shots() ? Json(settings.shots) : Json(0)},
          {"images_per_class", settings.per_class},
          {"sampler", settings.sampler},
          {"sample_steps", settings.sample_steps},
          {"guidance", settings.guidance},
          {"guidance_interval", settings.guidance_interval},
          {"cache_every", settings.cache_every},
          {"decode_shrink", settings.decode_shrink},
          {"adapt_steps", cell.adapted() ? Json(settings.adapt_steps) : Json()}};
}

std::string figure_text(const Json& row, const Figure& figure) {
  const Json& value = row.at(figure.key);
  if (!value.is_object()) return "-";
  std::string mean = report::fixed(value.at("mean").get<double>(), figure.decimals);
  if (value.at("deviation").is_null()) return mean;
  return mean + " ± " + report::fixed(value.at("deviation").get<double>(), figure.decimals);
}

std::string setting_text(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Json spread_json(const std::vector<double>& values) {
  if (values.empty()) return {};
  const Spread spread = spread_of(values);
  return {{"mean", spread.mean},
          {"deviation", values.size() > 1 ? Json(spread.deviation) : Json()}};
}

}  // namespace

void add_comparisons(run::Chain& chain, const run::Setup& setup) {
  const run::StageNames names(run::StageNames::Style::kFull);
  std::map<std::string, Cell> largest;
  for (const run::Measurement& measured : chain.measurements()) {
    if (measured.cell.method.images == ImageSource::kNone) continue;
    const auto [place, is_new] = largest.emplace(names.images(measured.cell), measured.cell);
    if (place->second.settings.per_class < measured.cell.settings.per_class) {
      place->second = measured.cell;
    }
  }
  for (auto& [images, cell] : largest) {
    // The images of the model as it is follow from no shots; those of the grid are left out of the
    // real side all the same, so that every set meets the same real images.
    if (!cell.needs_shots()) cell.settings.shots = setup.options.shots;
    chain.compare(cell);
  }
}

Json alignment_of(const run::Comparison& comparison) {
  const std::filesystem::path file = comparison.folder / "metrics.json";
  if (!path_exists(file)) return {};
  return from_record(file, [&] {
    const Json metrics = read_json(file);
    Json entry = settings_of(comparison.cell);
    entry["seed"] = comparison.seed;
    entry["n_real"] = metrics.value("n_real", Json());
    entry["n_synthetic"] = metrics.value("n_synthetic", Json());
    for (const Figure& figure : kFigures) entry[figure.key] = metrics.value(figure.key, Json());
    entry["comparison"] = comparison.stage;
    return entry;
  });
}

Json group_alignments(const Json& entries) {
  struct Group {
    Json settings = Json::object();
    std::vector<Json> entries;
  };
  std::vector<Group> groups;
  for (const Json& entry : entries) {
    Json settings = Json::object();
    for (const char* name : kSettings) settings[name] = entry.at(name);
    auto group = std::ranges::find(groups, settings, &Group::settings);
    if (group == groups.end()) group = groups.insert(groups.end(), Group{settings, {}});
    group->entries.push_back(entry);
  }
  Json rows = Json::array();
  for (const Group& group : groups) {
    Json row = group.settings;
    row["seeds"] = Json::array();
    for (const Json& entry : group.entries) row["seeds"].push_back(entry.at("seed"));
    row["n_real"] = group.entries.front().at("n_real");
    row["n_synthetic"] = group.entries.front().at("n_synthetic");
    for (const Figure& figure : kFigures) {
      std::vector<double> values;
      for (const Json& entry : group.entries) {
        if (entry.at(figure.key).is_number()) values.push_back(entry.at(figure.key).get<double>());
      }
      row[figure.key] = spread_json(values);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string alignment_table(const Json& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const char* name : kSettings) lines[0].emplace_back(name);
  for (const char* name : {"seeds", "real", "synthetic"}) lines[0].emplace_back(name);
  for (const Figure& figure : kFigures) lines[0].emplace_back(figure.key);
  for (std::string& title : lines[0]) std::ranges::replace(title, '_', ' ');
  for (const Json& row : rows) {
    auto& line = lines.emplace_back();
    for (const char* name : kSettings) line.push_back(setting_text(row.at(name)));
    line.push_back(std::to_string(row.at("seeds").size()));
    for (const char* name : {"n_real", "n_synthetic"}) line.push_back(setting_text(row.at(name)));
    for (const Figure& figure : kFigures) line.push_back(figure_text(row, figure));
  }
  return text_table(lines);
}

}  // namespace dd::sweep
