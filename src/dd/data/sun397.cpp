// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPlaces[] = {
#include "dd/data/sun397_names.inc"
};

/// "a/apse/indoor" → "indoor apse", as CoOp has it.
std::string place_name(std::string_view path) {
  std::string name;
  for (std::size_t slash; (slash = path.rfind('/')) != path.npos;) {
    name += cat(name.empty() ? "" : " ", path.substr(slash + 1));
    path = path.substr(0, slash);
  }
  return name;
}

/// Lines are "/a/abbey/sun_aaalbzqrimafwbiv.jpg".
void read_part(const fs::path& path, Split split, ImageList& list) {
  const std::vector<std::string> places = to_names(kPlaces);
  for (const Line& line : read_lines(path)) {
    const std::string where = cat(path.string(), ", line ", line.number);
    const std::string image = line.text.substr(line.text.front() == '/' ? 1 : 0);
    check_relative(image, where);
    const std::string place = image.substr(0, image.rfind('/'));
    list.images.push_back(
        {.id = "SUN397/" + image, .label = label_of_name(places, place, where), .split = split});
  }
}

// The first of the ten official partitions into train and test.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = sun397_names()};
  read_part(base / "Training_01.txt", Split::kTrain, list);
  read_part(base / "Testing_01.txt", Split::kTest, list);
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<std::string> sun397_names() {
  std::vector<std::string> names;
  for (const std::string_view place : kPlaces) names.push_back(place_name(place));
  return names;
}

std::unique_ptr<Dataset> open_sun397(const fs::path& root, const std::string& split,
                                     const ReadOptions& reading) {
  return open_official({.set = "sun397",
                        .bases = {"", "sun397"},
                        .marker = "SUN397",
                        .coop_split = "split_zhou_SUN397.json",
                        .coop_images = "SUN397",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
