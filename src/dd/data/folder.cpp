// SPDX-License-Identifier: Apache-2.0
#include "dd/data/folder.h"

#include <set>
#include <utility>

#include "dd/core/error.h"
#include "dd/data/class_list.h"
#include "dd/data/image_list.h"
#include "dd/data/links.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

// The names of one split, in order of preference.
struct SplitNames {
  std::string_view split;
  std::vector<std::string> folders;
};

const std::vector<SplitNames>& split_names() {
  static const std::vector<SplitNames> names{
      {"train", {"train"}}, {"val", {"val", "valid", "validation"}}, {"test", {"test"}}};
  return names;
}

// The folder below `root` that holds the split; empty when there is none.
std::string split_folder(const fs::path& root, const SplitNames& names) {
  for (const std::string& folder : names.folders) {
    if (is_folder(root / folder) && !list_folders(root / folder).empty()) return folder;
  }
  return {};
}

// Where the class folders of the wanted split and of all splits lie: prefixes below the root, ""
// for the root itself.
struct Layout {
  std::vector<std::string> wanted;
  std::vector<std::string> all;
};

Layout find_layout(const fs::path& root, const std::string& split) {
  Layout layout;
  bool known = split == "all";
  for (const SplitNames& names : split_names()) {
    known = known || names.split == split;
    const std::string folder = split_folder(root, names);
    if (folder.empty()) continue;
    layout.all.push_back(folder);
    if (split == "all" || names.split == split) layout.wanted.push_back(folder);
  }
  if (!known) {
    fail_usage(
        cat("a folder of images has no split \"", split, "\"; choose train, val, test or all"));
  }
  if (layout.all.empty() && (split == "train" || split == "all")) return {{""}, {""}};
  if (layout.wanted.empty()) {
    fail_input(cat(root.string(), " has no ", split, " split; put its class folders into ",
                   (root / split).string(), ", or choose another split"));
  }
  return layout;
}

std::vector<ClassEntry> find_classes(const fs::path& root, const Layout& layout) {
  std::set<std::string> folders;
  for (const std::string& part : layout.all) {
    for (const std::string& name : list_folders(root / part)) folders.insert(name);
  }
  if (folders.empty()) {
    fail_input(cat(root.string(), " holds no class folders; it should hold one folder of images a ",
                   "class: ", (root / "CLASS" / "image.png").string()));
  }
  const std::vector<std::string> sorted(folders.begin(), folders.end());
  if (is_there(root / "classes.txt")) return read_class_list(root / "classes.txt", sorted);
  std::vector<ClassEntry> classes;
  for (const std::string& name : sorted) classes.push_back({name, name});
  return classes;
}

// All pictures of one class in the wanted split.
void add_images(const fs::path& root, const Layout& layout, const std::string& folder,
                std::int64_t label, std::vector<ListedImage>& images) {
  const std::size_t before = images.size();
  for (const std::string& part : layout.wanted) {
    const fs::path below = fs::path(part) / folder;
    if (!is_folder(root / below)) continue;
    for (const std::string& name : list_images(root / below)) {
      images.push_back({.id = (below / name).generic_string(), .label = label});
    }
  }
  if (images.size() == before) {
    fail_input(cat("class \"", folder, "\" has no images in ",
                   (root / layout.wanted.front() / folder).string(),
                   "; add png, jpg or webp files, or take the class out of the set"));
  }
}

}  // namespace

std::unique_ptr<Dataset> open_folder(const fs::path& root, const std::string& split,
                                     const ReadOptions& reading) {
  check_set_folder(root, root.string());
  const Layout layout = find_layout(root, split);
  ImageList list;
  for (const ClassEntry& entry : find_classes(root, layout)) {
    add_images(root, layout, entry.folder, std::ssize(list.class_names), list.images);
    list.class_names.push_back(entry.name);
  }
  // Of the wanted split alone, so that a class without images in another one does no harm here.
  return open_listed(root, std::move(list), "all", root.string(), reading);
}

}  // namespace dd
