// SPDX-License-Identifier: Apache-2.0
#include "dd/data/official.h"

#include <algorithm>
#include <map>
#include <optional>

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/data/links.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

fs::path find_base(const OfficialLayout& layout, const fs::path& root) {
  check_set_folder(root, cat(layout.set, ":", root.string()));
  for (const std::string& base : layout.bases) {
    const fs::path folder = base.empty() ? root : root / base;
    if (is_there(folder / layout.marker)) return folder;
  }
  fail_input(cat(layout.set, ":", root.string(), " has no ", layout.marker,
                 "; unpack the official archive there (docs/data.md shows the layout)"));
}

/// One entry [path, label, class name] of CoOp's file.
void add_coop_entry(const Json& entry, Split split, const std::string& images,
                    const std::string& where, std::map<std::int64_t, std::string>& names,
                    ImageList& list) {
  const bool is_sound = entry.is_array() && entry.size() == 3 && entry[0].is_string() &&
                        holds_number<std::int64_t>(entry[1]) && entry[2].is_string();
  if (!is_sound) {
    fail_input(cat(where, " holds an entry that is not [path, label, class name]: ",
                   entry.dump().substr(0, 80), "; fetch the file again"));
  }
  const std::string path = entry[0].get<std::string>();
  check_relative(path, where);
  const auto label = entry[1].get<std::int64_t>();
  const std::string name = entry[2].get<std::string>();
  const auto [found, fresh] = names.emplace(label, name);
  if (!fresh && found->second != name) {
    fail_input(cat(where, ": label ", label, " is called \"", found->second, "\" and \"", name,
                   "\"; fetch the file again"));
  }
  list.images.push_back(
      {.id = images.empty() ? path : images + "/" + path, .label = label, .split = split});
}

}  // namespace

ImageList read_coop_split(const fs::path& file, const std::string& images) {
  const Json json = read_json(file);
  const std::string where = file.string();
  ImageList list;
  std::map<std::int64_t, std::string> names;
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    if (!json.is_object() || !json.contains(split_name(split)) ||
        !json.at(split_name(split)).is_array()) {
      fail_input(cat(where, " has no list \"", split_name(split), "\"; fetch the file again"));
    }
    for (const Json& entry : json.at(split_name(split))) {
      add_coop_entry(entry, split, images, where, names, list);
    }
  }
  for (const auto& [label, name] : names) {
    if (label != std::ssize(list.class_names)) {
      fail_input(
          cat(where, ": no image has label ", list.class_names.size(), "; fetch the file again"));
    }
    list.class_names.push_back(name);
  }
  return list;
}

std::unique_ptr<Dataset> open_official(const OfficialLayout& layout, const fs::path& root,
                                       const std::string& split, const ReadOptions& reading) {
  const fs::path base = find_base(layout, root);
  std::optional<ImageList> list;
  for (const fs::path& folder : {root, base}) {
    if (layout.coop_split.empty() || list || !is_there(folder / layout.coop_split)) continue;
    list = read_coop_split(folder / layout.coop_split, layout.coop_images);
  }
  if (!list) list = layout.read(base);
  return open_listed(base, std::move(*list), split, cat(layout.set, ":", root.string()), reading);
}

void add_class_folders(const fs::path& base, const std::string& folder,
                       std::span<const std::string> classes, Split split, ImageList& list) {
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const fs::path below = fs::path(folder) / classes[label];
    if (!is_folder(base / below)) continue;
    for (const std::string& name : list_images(base / below)) {
      list.images.push_back({.id = (below / name).generic_string(),
                             .label = static_cast<std::int64_t>(label),
                             .split = split});
    }
  }
}

std::int64_t label_of_name(std::span<const std::string> names, const std::string& name,
                           const std::string& where) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    fail_input(cat(where, ": there is no class \"", name, "\"; fetch the file again"));
  }
  return found - names.begin();
}

std::vector<std::string> to_names(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

}  // namespace dd
