// SPDX-License-Identifier: Apache-2.0
#include "dd/core/complete_record.h"

#include <algorithm>

#include "dd/core/files.h"

namespace dd {
namespace {

std::optional<Json> find_record(const std::filesystem::path& file, const std::string& identity,
                                const std::string& what) {
  if (!path_exists(file)) return std::nullopt;
  Json json = read_json(file);
  if (json.is_object() && json.value("identity", Json()) == Json(identity)) return json;
  fail_usage(cat(file.parent_path().string(), " holds ", what,
                 " of other settings or data; use --force to replace it, or another --out"));
}

}  // namespace

std::optional<Json> complete_record(const std::filesystem::path& file, const std::string& identity,
                                    const std::string& what, Ranks& ranks,
                                    const std::vector<std::filesystem::path>& beside) {
  std::optional<Json> found;
  if (ranks.first()) found = find_record(file, identity, what);
  if (found && !std::ranges::all_of(beside, path_exists)) found.reset();
  if (ranks.alone()) return found;
  const std::string told = ranks.from_first(found ? found->dump() : "");
  ranks.meet();  // none ends before all know
  if (told.empty()) return std::nullopt;
  return Json::parse(told);
}

}  // namespace dd
