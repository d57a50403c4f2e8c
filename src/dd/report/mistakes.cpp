// SPDX-License-Identifier: Apache-2.0
#include "dd/report/mistakes.h"

#include <cstdio>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/read.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"
#include "dd/report/html.h"
#include "dd/report/predictions.h"

namespace dd::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kKept = 12;
constexpr int kSide = 128;
constexpr const char* kRecord = "mistakes.json";

std::string class_name(const SavedRun& saved, const Json& entry, const char* key,
                       const std::string& where) {
  const auto label = json_required<std::size_t>(entry, key, where);
  if (label >= saved.class_names.size()) {
    fail_input(cat(where, ": \"", key, "\" is no class of the run; run the chain again"));
  }
  return saved.class_names[label];
}

std::string card(const SavedRun& saved, const fs::path& evaluation, const Json& entry) {
  const std::string where = (evaluation / kRecord).string();
  const auto name = json_required<std::string>(entry, "picture", where);
  const fs::path file = evaluation / "mistakes" / fs::path(name).filename();
  const std::string truth = class_name(saved, entry, "label", where);
  const std::string found = class_name(saved, entry, "predicted", where);
  const auto sure = json_required<double>(entry, "confidence", where);
  return cat("<div>", picture(read_image(file), truth), "<p><b>", escape(found), "</b> ",
             fixed(100 * sure, 1), " %<br />is ", escape(truth), "<br /><span class=\"note\">",
             escape(json_value<std::string>(entry, "file", "", where)), "</span></p></div>\n");
}

}  // namespace

void save_mistakes(const fs::path& evaluation, const ScoredImages& images) {
  const fs::path predictions = evaluation / "predictions.csv";
  if (!path_exists(predictions)) return;
  const fs::path record = evaluation / kRecord;
  const std::string hash = sha256_of_file(predictions);
  if (path_exists(record) &&
      json_value<std::string>(read_json(record), "predictions", "", record.string()) == hash) {
    return;
  }
  Json kept = Json::array();
  for (const Mistake& mistake : worst_mistakes(predictions, kKept)) {
    if (mistake.row >= images.size || images.name(mistake.row) != mistake.file) {
      fail_input(cat(predictions.string(), " is of other images than the data (", mistake.file,
                     "); use --force to start over"));
    }
    char name[32];
    std::snprintf(name, sizeof name, "%02zu.png", kept.size());
    write_png(evaluation / "mistakes" / name, thumbnail(images.image(mistake.row), kSide));
    kept.push_back({{"file", mistake.file},
                    {"label", mistake.label},
                    {"predicted", mistake.predicted},
                    {"confidence", mistake.confidence},
                    {"truth", mistake.truth},
                    {"picture", name}});
  }
  write_json(record, {{"predictions", hash}, {"mistakes", kept}});
}

std::string mistake_section(const SavedRun& saved, const std::vector<MethodScores>& scores) {
  std::string body;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i].shown.is_null()) continue;
    const auto name = json_required<std::string>(scores[i].shown, "evaluation", "results.json");
    const fs::path evaluation = saved.inside(name);
    const fs::path record = evaluation / kRecord;
    if (!path_exists(record)) continue;
    std::string cards;
    for (const Json& entry :
         json_required<std::vector<Json>>(read_json(record), "mistakes", record.string())) {
      cards += card(saved, evaluation, entry);
    }
    body +=
        cat("<details", i + 1 == scores.size() ? " open" : "", "><summary>", escape(scores[i].name),
            "</summary>\n<div class=\"cards\">\n", cards, "</div></details>\n");
  }
  if (body.empty()) return {};
  return section("mistakes", cat("Worst mistakes (seed ", saved.seed, ")"),
                 "<p class=\"note\">Test images that were taken for something else with the most "
                 "confidence (softmax of the predicted class).</p>\n" +
                     body);
}

}  // namespace dd::report
