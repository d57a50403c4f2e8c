// SPDX-License-Identifier: Apache-2.0
#include "dd/report/report.h"

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"
#include "dd/report/mistakes.h"
#include "dd/report/page.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace {

std::string heading(const SavedRun& saved) {
  const Json settings = member(saved.run, "settings");
  const auto shots = json_value<std::int64_t>(settings, "shots", 0, "run.json");
  const auto each = json_value<std::int64_t>(settings, "per_class", 0, "run.json");
  const auto data = json_value<std::string>(settings, "data", "", "run.json");
  return cat("<h1>From ", shots, " shots a class to a classifier</h1>\n<p>", escape(data), ": ",
             saved.class_names.size(), " classes, ", shots, " real and ", each,
             " synthetic images of each.</p>\n");
}

}  // namespace

void write_report(const std::filesystem::path& folder) {
  const SavedRun saved = SavedRun::load(folder);
  const std::vector<MethodScores> scores = method_scores(saved);
  const std::vector<std::string> sections{
      summary_section(saved, scores),
      picture_section(saved),
      alignment_section(saved),
      curve_section(saved, scores),
      class_section(saved, scores),
      confusion_section(saved, scores),
      mistake_section(saved, scores),
      cost_section(saved),
      settings_section(saved.run, hashed_files(saved)),
  };
  write_file_atomically(folder / "report.html", page("DataDream report", heading(saved), sections));
}

}  // namespace dd::report
