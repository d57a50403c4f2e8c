// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/chart.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"
#include "dd/report/neighbours.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace fs = std::filesystem;
namespace {

/// Synthetic images of one kind beside the real ones.
struct Compared {
  std::string kind;  ///< "frozen", "class", "dataset"
  std::string name;
  fs::path folder;
  Json metrics;
};

std::vector<Compared> compared_sets(const SavedRun& saved) {
  std::vector<Compared> sets;
  for (const auto& [kind, name] : picture_kinds()) {
    const fs::path folder = saved.seed_folder() / ("align-" + kind);
    const fs::path file = folder / "metrics.json";
    if (path_exists(file)) sets.push_back({kind, name, folder, read_json(file)});
  }
  return sets;
}

std::string figure(const Json& metrics, const char* key, int digits) {
  const Json value = member(metrics, key);
  return value.is_number() ? fixed(value.get<double>(), digits) : "–";
}

/// With its 95 % interval below.
std::string figure_cell(const Json& metrics, const char* key, int digits) {
  std::string text = escape(figure(metrics, key, digits));
  const Json intervals = member(metrics, "intervals");
  const Json range = member(intervals, key);
  if (range.is_array() && range.size() == 2 && range[0].is_number() && range[1].is_number()) {
    text += cat("<br /><span class=\"note\">", fixed(range[0].get<double>(), digits), " … ",
                fixed(range[1].get<double>(), digits), "</span>");
  }
  return cat("<td>", text, "</td>");
}

struct Column {
  const char* key;
  const char* title;
  int digits;
};
constexpr Column kColumns[] = {{"fid", "FID", 2},
                               {"kid", "KID", 3},
                               {"kid_std", "KID ±", 3},
                               {"cmmd", "CMMD", 3},
                               {"precision", "precision", 3},
                               {"recall", "recall", 3},
                               {"density", "density", 3},
                               {"coverage", "coverage", 3}};

std::string table(const std::vector<Compared>& sets) {
  std::string head = "<th>synthetic images</th><th>real</th><th>synthetic</th>";
  for (const Column& column : kColumns) head += cell("th", column.title);
  std::string body;
  for (const Compared& set : sets) {
    body += cat("<tr>", cell("th", set.name), cell("td", figure(set.metrics, "n_real", 0)),
                cell("td", figure(set.metrics, "n_synthetic", 0)));
    for (const Column& column : kColumns) {
      body += figure_cell(set.metrics, column.key, column.digits);
    }
    const Json copies = member(set.metrics, "copies");
    body += cat(cell("td", figure(copies, "flagged", 0)), "</tr>\n");
  }
  return cat("<div class=\"wide\"><table class=\"compact\"><thead><tr>", head,
             "<th>near copies</th></tr></thead>", "<tbody>\n", body, "</tbody></table></div>\n");
}

/// Why a figure is not to be trusted, each reason once.
std::string cautions(const std::vector<Compared>& sets) {
  std::vector<std::string> notes;
  for (const Compared& set : sets) {
    for (const std::string& note :
         json_value<std::vector<std::string>>(set.metrics, "cautions", {}, "metrics.json")) {
      if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
    }
  }
  std::string text;
  for (const std::string& note : notes) text += cat("<p class=\"note\">", escape(note), "</p>\n");
  return text;
}

/// A cloud for each kind, all on the same axes.
std::string clouds(const SavedRun& saved, const std::vector<Compared>& sets) {
  const fs::path file = saved.seed_folder() / "projection.json";
  if (!path_exists(file)) return {};
  const Json projection = read_json(file);
  const Json points = member(projection, "points");
  const auto shares = json_value<std::vector<double>>(projection, "shares", {}, file.string());
  const auto axis = [&](std::size_t i) {
    const std::string name = cat("axis ", i + 1);
    return i < shares.size() ? cat(name, " (", fixed(100 * shares[i], 0), " %)") : name;
  };
  std::string charts;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    Chart chart{.title = cat("Features: real and ", sets[i].name),
                .kind = ChartKind::kScatter,
                .x_name = axis(0),
                .y_name = axis(1)};
    chart.series.push_back({.name = "real", .points = curve_of(member(points, "real"))});
    chart.series.push_back({.name = sets[i].name,
                            .points = curve_of(member(points, sets[i].kind)),
                            .colour = static_cast<int>(i) + 1});
    charts += chart_figure(chart);
  }
  return cat("<div class=\"charts\">", charts,
             "</div>\n<p class=\"note\">Features at unit length "
             "on their two principal axes, the same in each plot (the scales are not); percentages "
             "are shares of the "
             "variance. Evenly chosen images where there are many.</p>\n");
}

}  // namespace

std::string alignment_section(const SavedRun& saved) {
  const std::vector<Compared> sets = compared_sets(saved);
  if (sets.empty()) return {};
  std::string pairs;
  for (const Compared& set : sets) {
    const std::string cards = neighbour_cards(set.folder);
    if (cards.empty()) continue;
    pairs += cat("<details", &set == &sets.back() ? " open" : "", "><summary>", escape(set.name),
                 "</summary>\n", cards, "</details>\n");
  }
  if (!pairs.empty()) {
    pairs =
        "<h3>Nearest neighbours</h3>\n<p class=\"note\">Synthetic images (left) that are most "
        "like a real one (right), by the cosine of their features.</p>\n" +
        pairs;
  }
  const Json& metrics = sets.front().metrics;
  const auto features = json_value<std::string>(metrics, "features", "a model", "metrics.json");
  const auto split = json_value<std::string>(metrics, "real_split", "train", "metrics.json");
  return section("alignment", cat("Alignment (seed ", saved.seed, ")"),
                 cat("<p class=\"note\">Synthetic images beside real ones of the ", escape(split),
                     " split that are no shots, by features of ", escape(features),
                     "; below a figure its 95 % interval.</p>\n", table(sets), cautions(sets),
                     clouds(saved, sets), pairs));
}

}  // namespace dd::report
