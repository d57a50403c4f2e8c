// SPDX-License-Identifier: Apache-2.0
#include "dd/report/sections.h"

#include <filesystem>
#include <map>

#include "dd/core/error.h"
#include "dd/report/html.h"
#include "dd/report/summary.h"

namespace dd::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPictures = 6;

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  return cat("<section id=\"", id, "\"><h2>", escape(title), "</h2>\n", body, "</section>\n");
}

/// A file inside the run's folder that results.json names; Error(kInput) for one that leaves it.
fs::path inside(const SavedRun& saved, const std::string& name, const char* file) {
  const fs::path path(name);
  bool leaves = path.is_absolute();
  for (const fs::path& part : path) leaves = leaves || part == "..";
  if (leaves) fail_input(cat("results.json names ", name, "; run the chain again"));
  return saved.folder / path / file;
}

std::string cell(const std::string& tag, const std::string& text) {
  return cat("<", tag, ">", escape(text), "</", tag, ">");
}

/// Method and mode of an entry of results.json, as the tables name them.
std::string name_of(const Json& entry) {
  return row_name({.method = json_required<std::string>(entry, "method", "results.json"),
                   .mode = json_value<std::string>(entry, "mode", "none", "results.json")});
}

std::string picture_column(const SavedRun& saved, const std::string& title, const std::string& set,
                           std::size_t label) {
  std::string images;
  for (const Image& image : saved.pictures(set, label, kPictures)) {
    images += picture(image, title + ": " + saved.class_names[label]);
  }
  if (images.empty()) return {};
  return cat("<div><h4>", escape(title), "</h4><p class=\"pictures\">", images, "</p></div>\n");
}

std::string classifier_charts(const SavedRun& saved) {
  std::vector<Series> losses;
  std::vector<Series> validation;
  std::vector<Series> accuracy;
  for (const Json& entry : saved.results) {
    const auto name = json_value<std::string>(entry, "classifier", "", "results.json");
    if (name.empty() || json_value<std::int64_t>(entry, "seed", 0, "") != saved.seed) continue;
    const Json record = read_json(inside(saved, name, "classifier.json"));
    const Json curves = record.value("curves", Json::object());
    losses.push_back({name_of(entry), curve_of(curves.value("loss", Json()))});
    validation.push_back({name_of(entry), curve_of(curves.value("validation_loss", Json()))});
    accuracy.push_back({name_of(entry), curve_of(curves.value("validation_top1", Json()))});
  }
  return line_chart("Classifiers: training loss", "step", losses) +
         line_chart("Classifiers: loss on validation images", "step", validation) +
         line_chart("Classifiers: accuracy on validation images", "step", accuracy);
}

/// Shares by class, summed over seeds.
struct ClassScores {
  std::vector<double> sum;
  double runs = 0;
};

std::map<std::string, ClassScores> class_scores(const SavedRun& saved) {
  std::map<std::string, ClassScores> scores;
  for (const Json& entry : saved.results) {
    const auto name = json_required<std::string>(entry, "evaluation", "results.json");
    const fs::path file = inside(saved, name, "metrics.json");
    const auto shares =
        json_required<std::vector<Json>>(read_json(file), "per_class", file.string());
    ClassScores& own = scores[name_of(entry)];
    own.sum.resize(saved.class_names.size(), 0);
    for (std::size_t i = 0; i < own.sum.size() && i < shares.size(); ++i) {
      if (shares[i].is_number()) own.sum[i] += shares[i].get<double>();
    }
    ++own.runs;
  }
  return scores;
}

}  // namespace

std::string summary_section(const SavedRun& saved) {
  std::string rows;
  std::int64_t n = 0;
  for (const SummaryRow& row : summarise(saved.results)) {
    n = row.n;
    rows += cat("<tr>", cell("th", row_name(row)), cell("td", accuracy_text(row)),
                cell("td", cat(row.runs)), cell("td", fixed(row.seconds, row.seconds < 10 ? 1 : 0)),
                "</tr>\n");
  }
  const Json settings = saved.run.value("settings", Json::object());
  const auto split = json_value<std::string>(settings, "test_split", "test", "run.json");
  return section(
      "summary", "Accuracy",
      cat("<div class=\"wide\"><table><thead><tr><th>method</th><th>top-1 %</th><th>seeds</th>"
          "<th>seconds</th></tr></thead><tbody>\n",
          rows, "</tbody></table></div>\n<p class=\"note\">Measured on ", n, " images (",
          escape(split),
          "), which were used for nothing else. After ± stands the sample standard deviation over "
          "seeds. Seconds: adaptation, generation and training of one seed; methods that share a "
          "stage count it each.</p>\n"));
}

std::string picture_section(const SavedRun& saved) {
  std::string body;
  for (std::size_t label = 0; label < saved.class_names.size(); ++label) {
    body += cat("<article><h3>", escape(saved.class_names[label]), "</h3><div class=\"columns\">\n",
                picture_column(saved, "real shots", "shots", label),
                picture_column(saved, "model as it is", "generate-frozen", label),
                picture_column(saved, "adapted, class", "generate-class", label),
                picture_column(saved, "adapted, dataset", "generate-dataset", label),
                "</div></article>\n");
  }
  return section("pictures", cat("Pictures (seed ", saved.seed, ")"), body);
}

std::string curve_section(const SavedRun& saved) {
  return section(
      "curves", cat("Curves (seed ", saved.seed, ")"),
      "<div class=\"charts\">" +
          line_chart("Adaptation, dataset mode", "step", adaptation_curves(saved, "dataset")) +
          line_chart("Adaptation, class mode (mean over the classes)", "step",
                     adaptation_curves(saved, "class")) +
          classifier_charts(saved) + "</div>\n");
}

std::string class_section(const SavedRun& saved) {
  const auto scores = class_scores(saved);
  const std::vector<SummaryRow> order = summarise(saved.results);
  std::string head = "<th>class</th>";
  for (const SummaryRow& row : order) head += cell("th", row_name(row));
  std::string rows;
  for (std::size_t label = 0; label < saved.class_names.size(); ++label) {
    rows += "<tr>" + cell("th", saved.class_names[label]);
    for (const SummaryRow& row : order) {
      const ClassScores& own = scores.at(row_name(row));
      rows += cell("td", fixed(100 * own.sum[label] / own.runs, 1));
    }
    rows += "</tr>\n";
  }
  return section("classes", "Accuracy by class (top-1 %)",
                 cat("<div class=\"wide\"><table><thead><tr>", head, "</tr></thead><tbody>\n", rows,
                     "</tbody></table></div>\n"));
}

std::string settings_section(const SavedRun& saved) {
  std::string rows;
  const auto add = [&rows](const std::string& key, const Json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    rows += cat("<tr>", cell("th", key), "<td><code>", escape(text), "</code></td></tr>\n");
  };
  for (const char* key : {"version", "model", "model_hash", "clip", "clip_hash"}) {
    add(key, saved.run.value(key, Json()));
  }
  const Json settings = saved.run.value("settings", Json::object());
  for (const auto& [key, value] : settings.items()) {
    if (key != "model" && key != "clip") add(key, value);
  }
  return section("settings", "Settings",
                 cat("<details><summary>What this run was made with</summary><div "
                     "class=\"wide\"><table class=\"settings\"><tbody>\n",
                     rows, "</tbody></table></div></details>\n"));
}

}  // namespace dd::report
