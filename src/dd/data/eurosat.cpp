// SPDX-License-Identifier: Apache-2.0
#include "dd/data/links.h"
#include "dd/data/named_sets.h"
#include "dd/data/official.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

struct LandUse {
  const char* folder;
  const char* name;  ///< CoOp's
};

constexpr LandUse kClasses[] = {{"AnnualCrop", "Annual Crop Land"},
                                {"Forest", "Forest"},
                                {"HerbaceousVegetation", "Herbaceous Vegetation Land"},
                                {"Highway", "Highway or Road"},
                                {"Industrial", "Industrial Buildings"},
                                {"Pasture", "Pasture Land"},
                                {"PermanentCrop", "Permanent Crop Land"},
                                {"Residential", "Residential Buildings"},
                                {"River", "River"},
                                {"SeaLake", "Sea or Lake"}};

// The folder of the archive of 2018, and of the one on Zenodo.
constexpr const char* kFirst = "2750";
constexpr const char* kSecond = "EuroSAT_RGB";

// The set has no official split.
ImageList read(const fs::path& base) {
  ImageList list{.class_names = eurosat_names()};
  std::vector<std::string> folders;
  for (const LandUse& use : kClasses) folders.emplace_back(use.folder);
  const char* images = is_there(base / kFirst) ? kFirst : kSecond;
  add_class_folders(base, images, folders, Split::kTrain, list);
  split_by_shares(list);
  return list;
}

}  // namespace

std::vector<std::string> eurosat_names() {
  std::vector<std::string> names;
  for (const LandUse& use : kClasses) names.emplace_back(use.name);
  return names;
}

std::unique_ptr<Dataset> open_eurosat(const fs::path& root, const std::string& split,
                                      const ReadOptions& reading) {
  const char* images = is_there(root / kSecond) ? kSecond : kFirst;
  return open_official({.set = "eurosat",
                        .bases = {"", "eurosat", "EuroSAT"},
                        .marker = images,
                        .coop_split = "split_zhou_EuroSAT.json",
                        .coop_images = images,
                        .read = read},
                       root, split, reading);
}

}  // namespace dd
