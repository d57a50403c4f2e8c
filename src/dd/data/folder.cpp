// SPDX-License-Identifier: Apache-2.0
#include "dd/data/folder.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/class_list.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

struct Item {
  std::string id;  // path below the root, with '/'
  std::int64_t label;
};

class FolderDataset final : public Dataset {
 public:
  FolderDataset(fs::path root, std::vector<std::string> names, std::vector<Item> items,
                const ReadOptions& reading)
      : root_(std::move(root)),
        names_(std::move(names)),
        items_(std::move(items)),
        reading_(reading) {}

  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t size() const override { return std::ssize(items_); }
  std::int64_t label(std::int64_t index) const override { return item(index).label; }
  std::string id(std::int64_t index) const override { return item(index).id; }
  Image image(std::int64_t index) const override {
    return read_image(root_ / item(index).id, reading_);
  }
  std::string content_hash(std::int64_t index) const override {
    return sha256_of_file(root_ / item(index).id);
  }

 private:
  const Item& item(std::int64_t index) const {
    ensure(index >= 0 && index < size(), "image index outside the data set");
    return items_[static_cast<std::size_t>(index)];
  }

  fs::path root_;
  std::vector<std::string> names_;
  std::vector<Item> items_;
  ReadOptions reading_;
};

bool is_image_name(const fs::path& path) {
  std::string type = path.extension().string();
  std::ranges::transform(type, type.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return type == ".png" || type == ".jpg" || type == ".jpeg" || type == ".webp";
}

// Names in the order of their bytes, hidden ones left out.
template <class Filter>
std::vector<std::string> list(const fs::path& folder, Filter filter) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && filter(*it)) names.push_back(name);
  }
  if (error) {
    fail_input(cat("cannot list ", folder.string(), ": ", error.message(),
                   "; check the folder's permissions"));
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> list_folders(const fs::path& folder) {
  return list(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_directory(ignored);
  });
}

std::vector<std::string> list_images(const fs::path& folder) {
  return list(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_regular_file(ignored) && is_image_name(entry.path());
  });
}

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
    std::error_code ignored;
    if (fs::is_directory(root / folder, ignored) && !list_folders(root / folder).empty()) {
      return folder;
    }
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
  std::error_code ignored;
  if (fs::exists(root / "classes.txt", ignored)) {
    return read_class_list(root / "classes.txt", sorted);
  }
  std::vector<ClassEntry> classes;
  for (const std::string& name : sorted) classes.push_back({name, name});
  return classes;
}

// All pictures of one class in the wanted split.
void add_images(const fs::path& root, const Layout& layout, const std::string& folder,
                std::int64_t label, std::vector<Item>& items) {
  const std::size_t before = items.size();
  for (const std::string& part : layout.wanted) {
    const fs::path below = fs::path(part) / folder;
    std::error_code ignored;
    if (!fs::is_directory(root / below, ignored)) continue;
    for (const std::string& name : list_images(root / below)) {
      items.push_back({(below / name).generic_string(), label});
    }
  }
  if (items.size() == before) {
    fail_input(cat("class \"", folder, "\" has no images in ",
                   (root / layout.wanted.front() / folder).string(),
                   "; add png, jpg or webp files, or take the class out of the set"));
  }
}

}  // namespace

std::unique_ptr<Dataset> open_folder(const fs::path& root, const std::string& split,
                                     const ReadOptions& reading) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    fail_input(cat("cannot open the data set ", root.string(), ": no such folder; check --data"));
  }
  const Layout layout = find_layout(root, split);
  std::vector<std::string> names;
  std::vector<Item> items;
  for (const ClassEntry& entry : find_classes(root, layout)) {
    add_images(root, layout, entry.folder, std::ssize(names), items);
    names.push_back(entry.name);
  }
  return std::make_unique<FolderDataset>(root, std::move(names), std::move(items), reading);
}

}  // namespace dd
