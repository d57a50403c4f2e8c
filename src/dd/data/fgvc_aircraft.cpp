// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kVariants[] = {
#include "dd/data/fgvc_aircraft_names.inc"
};

/// Lines are "0062765 BAE 146-200".
void read_part(const fs::path& path, Split split, ImageList& list) {
  for (const Line& line : read_lines(path)) {
    const std::string where = cat(path.string(), ", line ", line.number);
    const LineParts parts = split_at_blank(line.text);
    check_relative(parts.first, where);
    list.images.push_back({.id = "images/" + parts.first + ".jpg",
                           .label = label_of_name(list.class_names, parts.rest, where),
                           .split = split});
  }
}

// All three splits are official.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = fgvc_aircraft_names()};
  read_part(base / "images_variant_train.txt", Split::kTrain, list);
  read_part(base / "images_variant_val.txt", Split::kVal, list);
  read_part(base / "images_variant_test.txt", Split::kTest, list);
  return list;
}

}  // namespace

std::vector<std::string> fgvc_aircraft_names() {
  return to_names(kVariants);
}

std::unique_ptr<Dataset> open_fgvc_aircraft(const fs::path& root, const std::string& split,
                                            const ReadOptions& reading) {
  return open_official({.set = "fgvc-aircraft",
                        .bases = {"", "data", "fgvc-aircraft-2013b/data", "fgvc_aircraft"},
                        .marker = "images_variant_train.txt",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
