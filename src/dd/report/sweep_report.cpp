// SPDX-License-Identifier: Apache-2.0
#include "dd/report/sweep_report.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"
#include "dd/report/page.h"
#include "dd/report/settings.h"
#include "dd/report/summary.h"
#include "dd/report/sweep_rows.h"

namespace dd::report {
namespace {

/// Settings that a reader must see to tell rows apart, and those that are always of interest.
std::vector<std::string> table_columns(const Json& rows) {
  std::vector<std::string> columns{"shots", "images_per_class"};
  for (const auto* names : {&number_settings(), &other_settings()}) {
    for (const std::string& name : *names) {
      const bool there = std::ranges::find(columns, name) != columns.end();
      if (!there && values_of(rows, name).size() > 1) columns.push_back(name);
    }
  }
  return columns;
}

/// What drawing an image takes, where there is something to tell apart.
std::vector<std::string> cost_texts(const Json& row) {
  const Json draw = member(member(row, "effort"), "draw");
  if (json_value<std::int64_t>(draw, "images", 0, "sweep.json") == 0) return {"", ""};
  return {plain_text(member(draw, "passes")),
          flops_text(json_value<double>(draw, "image_flops", 0, "sweep.json"))};
}

std::string percent_list(const std::vector<double>& shares) {
  std::string text;
  for (const double share : shares) text += cat(text.empty() ? "" : ", ", fixed(100 * share, 2));
  return text;
}

std::string accuracy(const Json& row, const std::string& where) {
  std::string mean = fixed(100 * json_required<double>(row, "top1", where), 2);
  const Json deviation = member(row, "deviation");
  if (!deviation.is_number()) return mean;
  return cat(mean, " ± ", fixed(100 * deviation.get<double>(), 2));
}

std::string table_section(const Json& rows, const std::string& where) {
  const std::vector<std::string> columns = table_columns(rows);
  std::string head = "<th>method</th>";
  for (const std::string& column : columns) head += cell("th", words_of(column));
  const bool costs_differ = !cost_charts(rows).empty();
  if (costs_differ) head += "<th>U-Net passes</th><th>FLOPs an image</th>";
  std::string body;
  for (const Json& row : rows) {
    body += "<tr>" + cell("th", name_of_result(row));
    for (const std::string& column : columns) {
      body += cell("td", plain_text(member(row, column)));
    }
    if (costs_differ) {
      for (const std::string& text : cost_texts(row)) body += cell("td", text);
    }
    const auto by_seed = json_value<std::vector<double>>(row, "top1_by_seed", {}, where);
    body += cat("<td><b>", accuracy(row, where), "</b></td>", cell("td", percent_list(by_seed)),
                cell("td", cat(by_seed.size())), cell("td", plain_text(member(row, "n"))),
                cell("td", fixed(json_value<double>(row, "seconds", 0, where), 0)), "</tr>\n");
  }
  return section("table", "Table",
                 cat("<div class=\"wide\"><table><thead><tr>", head,
                     "<th>top-1 %</th><th>each seed</th><th>seeds</th><th>test images</th>"
                     "<th>seconds</th></tr></thead><tbody>\n",
                     body,
                     "</tbody></table></div>\n<p class=\"note\">After ± stands the sample "
                     "standard deviation over seeds. Seconds: a method's own stages of one "
                     "seed.</p>\n"));
}

std::string spread_text(const Json& figure) {
  if (!figure.is_object()) return "-";
  const std::string mean = fixed(json_value<double>(figure, "mean", 0, "sweep.json"), 3);
  const Json deviation = member(figure, "deviation");
  return deviation.is_number() ? cat(mean, " ± ", fixed(deviation.get<double>(), 3)) : mean;
}

/// Whose rows sweep::group_alignments() made.
std::string alignment_section(const Json& sweep) {
  const Json rows = member(sweep, "alignment_rows");
  if (!rows.is_array() || rows.empty()) return {};
  std::vector<std::string> settings{"shots", "images_per_class", "sampler", "sample_steps",
                                    "guidance"};
  for (const char* name : {"guidance_interval", "cache_every", "decode_shrink"}) {
    if (values_of(rows, name).size() > 1) settings.emplace_back(name);
  }
  const std::vector<std::pair<std::string, std::string>> figures{
      {"kid", "KID"},          {"fid_infinity", "FID∞"},
      {"cmmd", "CMMD"},        {"precision", "precision"},
      {"recall", "recall"},    {"density", "density"},
      {"coverage", "coverage"}};
  std::string head = "<th>images</th>";
  for (const std::string& name : settings) head += cell("th", words_of(name));
  head += "<th>seeds</th>";
  for (const auto& [key, title] : figures) head += cell("th", title);
  std::string body;
  for (const Json& row : rows) {
    body += "<tr>" + cell("th", name_of_result(row));
    for (const std::string& name : settings) {
      body += cell("td", plain_text(member(row, name)));
    }
    body += cell("td", cat(member(row, "seeds").size()));
    for (const auto& [key, title] : figures) {
      body += cell("td", spread_text(member(row, key)));
    }
    body += "</tr>\n";
  }
  return section("alignment", "Alignment with real images",
                 cat("<div class=\"wide\"><table><thead><tr>", head, "</tr></thead><tbody>\n", body,
                     "</tbody></table></div>\n<p class=\"note\">In features of the CLIP, against "
                     "real images that are no shots; KID, FID∞ and CMMD: lower is closer.</p>\n"));
}

std::string plot_section(const Json& rows) {
  std::string charts;
  for (const std::string& setting : number_settings()) {
    for (const Chart& chart : scaling_charts(rows, setting)) charts += chart_figure(chart);
  }
  for (const Chart& chart : cost_charts(rows)) charts += chart_figure(chart);
  if (charts.empty()) return {};
  return section("scaling", "Scaling",
                 cat("<p class=\"note\">Means over seeds with a band of one standard deviation; "
                     "dashed: methods that the setting means nothing to.</p>\n"
                     "<div class=\"charts\">",
                     charts, "</div>\n"));
}

std::string heading(const Json& sweep, const std::string& where) {
  const Json settings = member(sweep, "settings");
  const auto planned = json_value<std::size_t>(sweep, "planned_cells", 0, where);
  const std::size_t there = json_value<std::vector<Json>>(sweep, "cells", {}, where).size();
  return cat("<h1>Sweep</h1>\n<p>", escape(plain_text(member(settings, "data"))), ": ", there,
             " of ", planned, " cells measured.</p>\n");
}

}  // namespace

void write_sweep_report(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "sweep.json";
  const Json sweep = read_json(file);
  const std::string where = file.string();
  const Json rows = json_required<std::vector<Json>>(sweep, "rows", where);
  const std::vector<std::string> sections{plot_section(rows), table_section(rows, where),
                                          alignment_section(sweep), settings_section(sweep, {})};
  write_file_atomically(folder / "report.html",
                        page("DataDream sweep", heading(sweep, where), sections));
}

}  // namespace dd::report
