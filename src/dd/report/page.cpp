// SPDX-License-Identifier: Apache-2.0
#include "dd/report/page.h"

#include "dd/core/error.h"
#include "dd/report/html.h"
#include "dd/report/page_assets.h"

namespace dd::report {
namespace {

constexpr const char* kPolicy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'";

/// The text between two marks, the first of them after `from`.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) return {};
  const std::size_t first = start + before.size();
  return text.substr(first, text.find(after, first) - first);
}

/// Links to the sections, by the ids and headings that section() gave them.
std::string contents(const std::vector<std::string>& sections) {
  std::string links;
  for (const std::string& section : sections) {
    const std::string id = between(section, "<section id=\"", "\"");
    if (id.empty()) continue;
    links += cat("<a href=\"#", id, "\">", between(section, "<h2>", "</h2>"), "</a>\n");
  }
  return cat("<nav>", links, "</nav>\n");
}

}  // namespace

std::string page(const std::string& title, const std::string& head,
                 const std::vector<std::string>& sections) {
  std::string body;
  for (const std::string& section : sections) body += section;
  return cat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"",
      kPolicy,
      "\" />\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n<title>",
      escape(title), "</title>\n<style>", kPageStyle, "</style>\n</head>\n<body>\n", head,
      contents(sections), body,
      "<footer><details><summary>This page carries the charting library Chart.js; its "
      "licence</summary><pre>",
      escape(kChartLicence), "</pre></details></footer>\n<script>", kChartLibrary,
      "</script>\n<script>", kPageScript, "</script>\n</body>\n</html>\n");
}

}  // namespace dd::report
