// SPDX-License-Identifier: Apache-2.0
#include "dd/report/settings.h"

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/report/html.h"
#include "dd/report/json_member.h"

namespace dd::report {
namespace {

void add_row(std::string& rows, const std::string& key, const Json& value) {
  const std::string text = value.is_string()
                               ? value.get<std::string>()
                               : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  rows += cat("<tr>", cell("th", key), "<td><code>", escape(text), "</code></td></tr>\n");
}

std::string folded_table(const std::string& title, const std::string& rows) {
  return cat("<details><summary>", title,
             "</summary><div class=\"wide\"><table class=\"settings\"><tbody>\n", rows,
             "</tbody></table></div></details>\n");
}

}  // namespace

std::string settings_section(const Json& description, const std::vector<HashedFile>& files) {
  std::string rows;
  const Json settings = member(description, "settings");
  add_row(rows, "seeds", member(description, "seeds"));
  for (const auto& [key, value] : settings.items()) {
    if (key != "model" && key != "clip" && key != "seeds") add_row(rows, key, value);
  }
  std::string hashes;
  for (const char* key : {"version", "model", "model_hash", "clip", "clip_hash"}) {
    add_row(hashes, key, member(description, key));
  }
  for (const HashedFile& file : files) {
    if (path_exists(file.path)) add_row(hashes, file.name, sha256_of_file(file.path));
  }
  return section(
      "settings", "Settings and hashes",
      folded_table("Settings", rows) + folded_table("Models and files, with SHA-256", hashes));
}

}  // namespace dd::report
