// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/data/lines.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDishes[] = {
#include "dd/data/food101_names.inc"
};

/// `image` is "apple_pie/1005649".
void add_image(const std::string& image, const std::string& where, Split split, ImageList& list) {
  check_relative(image, where);
  const std::int64_t label =
      label_of_name(list.class_names, image.substr(0, image.find('/')), where);
  list.images.push_back({.id = "images/" + image + ".jpg", .label = label, .split = split});
}

/// meta/train.txt, or meta/train.json, which says the same by class.
void read_part(const fs::path& meta, const std::string& name, Split split, ImageList& list) {
  const fs::path text = meta / (name + ".txt");
  std::error_code ignored;
  if (fs::exists(text, ignored)) {
    for (const Line& line : read_lines(text)) {
      add_image(line.text, cat(text.string(), ", line ", line.number), split, list);
    }
    return;
  }
  const fs::path file = meta / (name + ".json");
  const Json json = read_json(file);
  if (!json.is_object()) fail_input(cat(file.string(), " is no object; fetch the file again"));
  for (const auto& [dish, unused] : json.items()) {
    for (const auto& image : json_required<std::vector<std::string>>(json, dish, file.string())) {
      add_image(image, file.string(), split, list);
    }
  }
}

// Official are train and test.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = food101_names()};
  read_part(base / "meta", "train", Split::kTrain, list);
  read_part(base / "meta", "test", Split::kTest, list);
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<std::string> food101_names() {
  return to_names(kDishes);
}

std::unique_ptr<Dataset> open_food101(const fs::path& root, const std::string& split,
                                      const ReadOptions& reading) {
  return open_official({.set = "food101",
                        .bases = {"", "food-101"},
                        .marker = "images",
                        .coop_split = "split_zhou_Food101.json",
                        .coop_images = "images",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
