// SPDX-License-Identifier: Apache-2.0
#include "dd/data/image_list.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/seeds.h"
#include "dd/core/utf8.h"
#include "dd/data/links.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kPlane = std::uint64_t{32} * 32;

Image from_planes(const std::string& bytes) {
  Image image = make_image(32, 32);
  for (std::size_t i = 0; i < kPlane; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      image.rgb[3 * i + channel] = static_cast<std::uint8_t>(bytes[channel * kPlane + i]);
    }
  }
  return image;
}

class ListDataset final : public Dataset {
 public:
  ListDataset(fs::path root, ImageList list, const ReadOptions& reading)
      : root_(std::move(root)), list_(std::move(list)), reading_(reading) {}

  const std::vector<std::string>& class_names() const override { return list_.class_names; }
  std::int64_t size() const override { return std::ssize(list_.images); }
  std::int64_t label(std::int64_t index) const override { return item(index).label; }
  std::string id(std::int64_t index) const override { return item(index).id; }
  fs::path file(std::int64_t index) const override {
    return item(index).bytes == 0 ? path(item(index)) : fs::path();
  }

  Image image(std::int64_t index) const override {
    const ListedImage& image = item(index);
    if (image.bytes == 0) return read_image(plain_file(image), reading_);
    const std::string bytes = stored_bytes(image);
    if (list_.stored == Stored::kPlanes32x32) return from_planes(bytes);
    return decode_image(bytes, (root_ / image.id).string(), reading_);
  }

  std::string content_hash(std::int64_t index) const override {
    const ListedImage& image = item(index);
    return image.bytes == 0 ? sha256_of_file(plain_file(image)) : sha256_of(stored_bytes(image));
  }

 private:
  const ListedImage& item(std::int64_t index) const {
    ensure(index >= 0 && index < size(), "image index outside the data set");
    return list_.images[static_cast<std::size_t>(index)];
  }
  fs::path path(const ListedImage& image) const {
    return root_ / (image.file.empty() ? image.id : image.file);
  }

  /// Checked before it is opened: lists may name, and folders hold, broken links and pipes.
  fs::path plain_file(const ListedImage& image) const {
    fs::path file = path(image);
    check_plain_file(file);
    return file;
  }

  /// A part of a larger file. Its size is compared with the file's before memory is taken.
  std::string stored_bytes(const ListedImage& image) const {
    const fs::path file = path(image);
    std::error_code error;
    const std::uintmax_t length = fs::file_size(file, error);
    if (error || image.offset > length || image.bytes > length - image.offset) {
      fail_input(cat(file.string(), error ? " cannot be read" : " is shorter than it was",
                     ", image ", image.id, "; fetch the file again"));
    }
    std::string bytes(image.bytes, '\0');
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(image.offset));
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!in) fail_input(cat("cannot read ", file.string(), ", image ", image.id));
    return bytes;
  }

  fs::path root_;
  ImageList list_;
  ReadOptions reading_;
};

/// Records and adapters name classes and images, and are JSON.
void check_name(const std::string& name, const char* whose, const std::string& what) {
  if (is_utf8(name)) return;
  fail_input(cat(what, " has ", whose, " called \"", escaped_bytes(name),
                 "\", which is not UTF-8; rename it, as convmv does for whole folders"));
}

void check_list(const ImageList& list, const std::string& what) {
  std::set<std::string> names;
  for (const std::string& name : list.class_names) {
    if (name.empty()) fail_input(cat(what, " has a class without a name; give it one"));
    check_name(name, "a class", what);
    if (!names.insert(name).second) {
      fail_input(cat(what, " has two classes called \"", name, "\"; rename one of them"));
    }
  }
  std::unordered_set<std::string_view> ids;
  for (const ListedImage& image : list.images) {
    check_name(image.id, "an image", what);
    if (image.label < 0 || image.label >= std::ssize(list.class_names)) {
      fail_input(cat(what, ": image ", image.id, " has label ", image.label, ", but there are ",
                     list.class_names.size(), " classes; mend the list"));
    }
    if (!ids.insert(image.id).second) {
      fail_input(cat(what, ": image ", image.id, " is listed twice; remove one of the two"));
    }
  }
}

/// Positions of each class's train images, in the order of their ids.
std::vector<std::vector<std::size_t>> train_by_class(const ImageList& list) {
  std::vector<std::vector<std::size_t>> classes(list.class_names.size());
  for (std::size_t i = 0; i < list.images.size(); ++i) {
    const ListedImage& image = list.images[i];
    if (image.split == Split::kTrain)
      classes.at(static_cast<std::size_t>(image.label)).push_back(i);
  }
  for (std::vector<std::size_t>& members : classes) {
    std::ranges::sort(members, {},
                      [&](std::size_t i) -> const std::string& { return list.images[i].id; });
  }
  return classes;
}

/// Calls `move(image, place)` for the train images of each class in an order drawn for the class.
template <class Place>
void place_by_lot(ImageList& list, const std::string& purpose, const Place& place) {
  const auto classes = train_by_class(list);
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::vector<std::size_t>& members = classes[label];
    Random random(mix_seed(0, purpose + "/" + list.class_names[label]));
    const std::vector<std::int64_t> order = random.permutation(std::ssize(members));
    for (std::size_t i = 0; i < members.size(); ++i) {
      ListedImage& image = list.images[members[static_cast<std::size_t>(order[i])]];
      image.split = place(i, members.size());
    }
  }
}

std::size_t rounded(double value) {
  return static_cast<std::size_t>(std::lround(value));
}

}  // namespace

std::string split_name(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kVal:
      return "val";
    case Split::kTest:
      return "test";
  }
  fail_internal("unknown split");
}

std::optional<Split> parse_split(std::string_view text) {
  if (text == "train" || text == "training") return Split::kTrain;
  if (text == "val" || text == "valid" || text == "validation") return Split::kVal;
  if (text == "test" || text == "testing") return Split::kTest;
  return std::nullopt;
}

std::unique_ptr<Dataset> open_listed(const fs::path& root, ImageList list, const std::string& split,
                                     const std::string& what, const ReadOptions& reading) {
  const std::optional<Split> wanted = parse_split(split);
  if (split != "all" && !(wanted && split_name(*wanted) == split)) {
    fail_usage(cat(what, " has no split \"", split, "\"; choose train, val, test or all"));
  }
  std::ranges::sort(list.images, [](const ListedImage& a, const ListedImage& b) {
    return std::tie(a.label, a.id) < std::tie(b.label, b.id);
  });
  check_list(list, what);
  if (wanted) {
    std::erase_if(list.images, [&](const ListedImage& image) { return image.split != *wanted; });
  }
  if (list.images.empty()) {
    fail_input(cat(what, " has no ", split, " split; choose another split, or add images to it"));
  }
  return std::make_unique<ListDataset>(root, std::move(list), reading);
}

void hold_out_validation(ImageList& list) {
  static constexpr std::size_t kMost = 50;
  place_by_lot(list, "validation", [](std::size_t i, std::size_t count) {
    const std::size_t held_out = std::min(kMost, rounded(0.2 * static_cast<double>(count)));
    return i < held_out ? Split::kVal : Split::kTrain;
  });
}

void split_by_shares(ImageList& list) {
  place_by_lot(list, "shares", [](std::size_t i, std::size_t count) {
    const std::size_t train = rounded(0.5 * static_cast<double>(count));
    if (i < train) return Split::kTrain;
    return i < train + rounded(0.2 * static_cast<double>(count)) ? Split::kVal : Split::kTest;
  });
}

bool is_image_name(const fs::path& path) {
  std::string type = path.extension().string();
  std::ranges::transform(type, type.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return type == ".png" || type == ".jpg" || type == ".jpeg" || type == ".webp";
}

namespace {

template <class Filter>
std::vector<std::string> list_names(const fs::path& folder, const Filter& filter) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && filter(*it)) names.push_back(name);
  }
  if (error) {
    fail_input(cat("cannot list ", folder.string(), ": ", error.message(),
                   "; check that the folder is there and may be read"));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<std::string> list_folders(const fs::path& folder) {
  return list_names(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) return true;
    // A link that leads nowhere may have been a class: is_folder refuses it. What is named like a
    // picture is list_images' affair, as in ImageNet's val folder without classes.
    return !is_image_name(entry.path()) && entry.is_symlink(ignored) && is_folder(entry.path());
  });
}

std::vector<std::string> list_images(const fs::path& folder) {
  return list_names(folder, [](const fs::directory_entry& entry) {
    // A folder is no picture, whatever its name: none was meant to be one. All else counts,
    // readable or not, lest a set shrink without a word. The entry knows its type; links alone are
    // followed.
    std::error_code ignored;
    return is_image_name(entry.path()) && !entry.is_directory(ignored);
  });
}

void check_set_folder(const fs::path& root, const std::string& what) {
  if (is_folder(root)) return;
  if (!is_there(root)) {
    fail_input(cat("cannot open the data set ", what, ": no such folder; check --data"));
  }
  fail_input(cat("cannot open the data set ", what, ": it is a file; --data takes a folder of ",
                 "class folders, NAME:ROOT, a list (.csv, .jsonl) or shards (.tar)"));
}

void check_relative(const std::string& path, const std::string& where) {
  const fs::path given(path);
  if (path.empty() || given.is_absolute() || path.find('\0') != std::string::npos ||
      std::ranges::find(given, fs::path("..")) != given.end()) {
    fail_input(cat(where, ": \"", path, "\" is no path below the set's own folder; write it as it ",
                   "is seen from there"));
  }
}

}  // namespace dd
