// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace {

constexpr std::string_view kFolders[] = {
#include "dd/data/caltech101_names.inc"
};

constexpr const char* kImages = "101_ObjectCategories";

// The set has no official split.
ImageList read(const std::filesystem::path& base) {
  ImageList list{.class_names = caltech101_names()};
  add_class_folders(base, kImages, to_names(kFolders), Split::kTrain, list);
  split_by_shares(list);
  return list;
}

}  // namespace

std::vector<std::string> caltech101_names() {
  static const std::map<std::string, std::string> renamed{{"Faces", "face"},
                                                          {"Leopards", "leopard"},
                                                          {"Motorbikes", "motorbike"},
                                                          {"airplanes", "airplane"}};
  std::vector<std::string> names = to_names(kFolders);
  for (std::string& name : names) {
    if (const auto found = renamed.find(name); found != renamed.end()) name = found->second;
  }
  return names;
}

std::unique_ptr<Dataset> open_caltech101(const std::filesystem::path& root,
                                         const std::string& split, const ReadOptions& reading) {
  return open_official({.set = "caltech101",
                        .bases = {"", "caltech-101", "caltech101"},
                        .marker = kImages,
                        .coop_split = "split_zhou_Caltech101.json",
                        .coop_images = kImages,
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
