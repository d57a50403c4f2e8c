// SPDX-License-Identifier: Apache-2.0
#include "dd/core/error.h"
#include "dd/data/lines.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kBreeds[] = {
#include "dd/data/oxford_pets_names.inc"
};

/// "American_Bulldog_12" → "american_bulldog".
std::string breed_of(const std::string& image) {
  std::string breed = image.substr(0, image.rfind('_'));
  for (char& letter : breed) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return breed;
}

/// Lines are "Abyssinian_100 1 1 1": image, class from 1, cat or dog, breed of those.
void read_part(const fs::path& base, const char* file, Split split, ImageList& list) {
  const fs::path path = base / "annotations" / file;
  for (const Line& line : read_lines(path)) {
    if (line.text.front() == '#') continue;
    const std::string where = cat(path.string(), ", line ", line.number);
    const LineParts parts = split_at_blank(line.text);
    check_relative(parts.first, where);
    const std::int64_t label = label_of_name(list.class_names, breed_of(parts.first), where);
    if (split_at_blank(parts.rest).first != std::to_string(label + 1)) {
      fail_input(cat(where, ": ", parts.first, " should have class ", label + 1,
                     "; fetch the file again"));
    }
    list.images.push_back({.id = "images/" + parts.first + ".jpg", .label = label, .split = split});
  }
}

// Official are trainval and test.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = oxford_pets_names()};
  read_part(base, "trainval.txt", Split::kTrain, list);
  read_part(base, "test.txt", Split::kTest, list);
  hold_out_validation(list);
  return list;
}

}  // namespace

std::vector<std::string> oxford_pets_names() {
  return to_names(kBreeds);
}

std::unique_ptr<Dataset> open_oxford_pets(const fs::path& root, const std::string& split,
                                          const ReadOptions& reading) {
  return open_official({.set = "oxford-pets",
                        .bases = {"", "oxford_pets", "oxford-iiit-pet"},
                        .marker = "images",
                        .coop_split = "split_zhou_OxfordPets.json",
                        .coop_images = "images",
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
