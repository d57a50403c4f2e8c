// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTextures[] = {
#include "dd/data/dtd_names.inc"
};

/// Lines are "banded/banded_0002.jpg".
void read_part(const fs::path& path, Split split, ImageList& list) {
  for (const Line& line : read_lines(path)) {
    const std::string where = cat(path.string(), ", line ", line.number);
    check_relative(line.text, where);
    const std::string texture = line.text.substr(0, line.text.find('/'));
    list.images.push_back({.id = "images/" + line.text,
                           .label = label_of_name(list.class_names, texture, where),
                           .split = split});
  }
}

// The first of the ten official partitions into thirds.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = dtd_names()};
  read_part(base / "labels" / "train1.txt", Split::kTrain, list);
  read_part(base / "labels" / "val1.txt", Split::kVal, list);
  read_part(base / "labels" / "test1.txt", Split::kTest, list);
  return list;
}

}  // namespace

std::vector<std::string> dtd_names() {
  return to_names(kTextures);
}

std::unique_ptr<Dataset> open_dtd(const fs::path& root, const std::string& split,
                                  const ReadOptions& reading) {
  return open_official({.set = "dtd",
                        .bases = {"", "dtd"},
                        .marker = "images",
                        .coop_split = "split_zhou_DescribableTextures.json",
                        .coop_images = "images",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
