// SPDX-License-Identifier: Apache-2.0
#include "dd/report/report.h"

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/html.h"
#include "dd/report/sections.h"

namespace dd::report {
namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark; --page: #fcfcfa; --ink: #22252a; --soft: #646a73; --rule: #dcdfe3;
  --c0: #2a6fc9; --c1: #d0562a; --c2: #178a62; --c3: #b57d00; --c4: #b8487f; --c5: #5b4bb5; }
@media (prefers-color-scheme: dark) {
  :root { --page: #16181b; --ink: #e6e8ea; --soft: #9aa1aa; --rule: #34383e;
    --c0: #6aa5f2; --c1: #f08a5d; --c2: #46c497; --c3: #e0b23f; --c4: #e88ab8; --c5: #a395f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
h4 { font-size: .8rem; font-weight: 500; color: var(--soft); margin: 0; }
.note, .legend { color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--rule); text-align: right; }
th { font-weight: 500; } th:first-child { text-align: left; }
.settings td { text-align: left; overflow-wrap: anywhere; }
article { border-bottom: 1px solid var(--rule); padding-bottom: .5rem; }
.columns { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3px; margin: .25rem 0;
  max-width: 15rem; }
.pictures img { width: 100%; image-rendering: pixelated; display: block; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 500; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.dashed { stroke-dasharray: 6 4; }
.legend span { margin-right: 1rem; white-space: nowrap; }
.key { display: inline-block; width: 1.4rem; border-top: 3px solid; margin-right: .4rem;
  vertical-align: middle; } .key.dashed { border-top-style: dashed; }
.s0 { stroke: var(--c0); border-color: var(--c0); }
.s1 { stroke: var(--c1); border-color: var(--c1); }
.s2 { stroke: var(--c2); border-color: var(--c2); }
.s3 { stroke: var(--c3); border-color: var(--c3); }
.s4 { stroke: var(--c4); border-color: var(--c4); }
.s5 { stroke: var(--c5); border-color: var(--c5); }
@media (max-width: 44rem) { .columns { grid-template-columns: repeat(2, 1fr); }
  th, td { padding: .3rem .4rem; } .legend span { white-space: normal; } }
)css";

std::string heading(const SavedRun& saved) {
  const Json settings = saved.run.value("settings", Json::object());
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
  const std::string page =
      cat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
          "<title>DataDream report</title>\n<style>",
          kStyle, "</style>\n</head>\n<body>\n", heading(saved), summary_section(saved),
          picture_section(saved), curve_section(saved), class_section(saved),
          settings_section(saved), "</body>\n</html>\n");
  write_file_atomically(folder / "report.html", page);
}

}  // namespace dd::report
