// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/class_match.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "dd/core/files.h"
#include "dd/core/json_text.h"
#include "dd/core/names_text.h"
#include "dd/data/class_list.h"
#include "dd/text/prompt.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> only_match(const std::vector<std::string>& names,
                                       const std::string& name) {
  if (std::ranges::count(names, name) != 1) return std::nullopt;
  return std::ranges::find(names, name) - names.begin();
}

struct Numbered {
  std::string name;
  std::int64_t label;
  friend bool operator==(const Numbered&, const Numbered&) = default;
};

/// Class folder → name and number, from the lines of metadata.jsonl.
std::map<std::string, Numbered> read_metadata(const fs::path& file) {
  const std::string text = read_file(file);
  std::map<std::string, Numbered> folders;
  std::int64_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    const std::string where = cat(file.string(), ", line ", number);
    const Json json = parse_json(line);
    if (!json.is_object()) fail_input(cat(where, " is no JSON object; generate the set again"));
    const auto name = json_required<std::string>(json, "file_name", where);
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || !json.contains("class")) continue;
    const Numbered numbered{json_required<std::string>(json, "class", where),
                            json_value<std::int64_t>(json, "label", -1, where)};
    const auto [found, fresh] = folders.emplace(name.substr(0, slash), numbered);
    if (!fresh && found->second != numbered) {
      fail_input(cat(where, ": folder \"", found->first,
                     "\" has another class or label than on "
                     "an earlier line; generate the set again"));
    }
  }
  return folders;
}

/// Labels 0 … n − 1, each once.
bool is_numbering(std::vector<std::int64_t> labels) {
  std::ranges::sort(labels);
  for (std::int64_t i = 0; i < std::ssize(labels); ++i) {
    if (labels[static_cast<std::size_t>(i)] != i) return false;
  }
  return true;
}

SyntheticClasses as_they_are(std::vector<std::string> names) {
  SyntheticClasses classes{std::move(names), {}};
  for (std::int64_t i = 0; i < std::ssize(classes.names); ++i) classes.labels.push_back(i);
  return classes;
}

}  // namespace

std::string plain_class_name(const std::string& name) {
  return prompt_class_name(folders_for_classes({name}).front().folder);
}

std::vector<std::int64_t> match_classes(const std::vector<std::string>& wanted,
                                        const std::vector<std::string>& offered,
                                        const std::string& wanted_from,
                                        const std::string& offered_from) {
  std::vector<std::string> plain_wanted;
  std::vector<std::string> plain_offered;
  for (const std::string& name : wanted) plain_wanted.push_back(plain_class_name(name));
  for (const std::string& name : offered) plain_offered.push_back(plain_class_name(name));
  std::vector<std::int64_t> places;
  std::vector<std::string> missing;
  std::set<std::int64_t> taken;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::optional<std::int64_t> place = only_match(offered, wanted[i]);
    if (!place && only_match(plain_wanted, plain_wanted[i])) {
      place = only_match(plain_offered, plain_wanted[i]);
    }
    if (!place || !taken.insert(*place).second) {
      missing.push_back(wanted[i]);
      continue;
    }
    places.push_back(*place);
  }
  if (!missing.empty()) {
    fail_input(cat("classes of ", wanted_from, " that ", offered_from,
                   " lacks: ", names_text(missing), "; use sets of the same classes"));
  }
  std::vector<std::string> extra;
  for (std::int64_t i = 0; i < std::ssize(offered); ++i) {
    if (!taken.contains(i)) extra.push_back(offered[static_cast<std::size_t>(i)]);
  }
  if (!extra.empty()) {
    fail_input(cat("classes of ", offered_from, " that ", wanted_from,
                   " lacks: ", names_text(extra), "; use sets of the same classes"));
  }
  return places;
}

SyntheticClasses read_synthetic_classes(const fs::path& folder, const Dataset& images) {
  const fs::path metadata = folder / "metadata.jsonl";
  const std::vector<std::string>& folders = images.class_names();
  if (!path_exists(metadata) || path_exists(folder / "classes.txt")) return as_they_are(folders);
  const std::map<std::string, Numbered> numbered = read_metadata(metadata);
  SyntheticClasses classes = as_they_are(folders);
  std::vector<std::int64_t> labels;
  for (std::string& name : classes.names) {
    const auto found = numbered.find(name);
    if (found == numbered.end()) continue;
    name = found->second.name;
    labels.push_back(found->second.label);
  }
  if (labels.size() != folders.size() || !is_numbering(labels)) return classes;
  std::vector<std::string> ordered(folders.size());
  for (std::size_t i = 0; i < folders.size(); ++i) {
    ordered[static_cast<std::size_t>(labels[i])] = classes.names[i];
  }
  return {std::move(ordered), std::move(labels)};
}

}  // namespace dd::classify
