// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dd/data/dataset.h"

namespace dd {

using SetOpener = std::unique_ptr<Dataset>(const std::filesystem::path& root,
                                           const std::string& split, const ReadOptions& reading);

/// A set with a name of its own and an official layout. docs/data.md shows the layouts and says
/// which splits are official.
struct NamedSet {
  const char* name;     ///< "oxford-pets"
  const char* domain;   ///< word for {domain} in templates: "pet"; empty where the paper has none
  std::int64_t images;  ///< of all splits of the full set
  std::vector<std::string> (*class_names)();  ///< all of them, in label order
  SetOpener* open;                            ///< see open_dataset
};

/// Every known set.
std::span<const NamedSet> named_sets();

/// Null where there is no set of this name.
const NamedSet* find_named_set(const std::string& name);

/// A class of ImageNet: its WordNet synset ("n01440764") and its name in prompts ("tench").
struct ImageNetClass {
  std::string synset;
  std::string name;
};
std::vector<ImageNetClass> imagenet_classes();

// The sets, one file each. Names are those of CoOp (github.com/KaiyangZhou/CoOp), which the paper
// prompts with.
std::vector<std::string> imagenet_names();
std::vector<std::string> caltech101_names();
std::vector<std::string> oxford_pets_names();
std::vector<std::string> stanford_cars_names();
std::vector<std::string> fgvc_aircraft_names();
std::vector<std::string> food101_names();
std::vector<std::string> flowers102_names();
std::vector<std::string> eurosat_names();
std::vector<std::string> dtd_names();
std::vector<std::string> sun397_names();
std::vector<std::string> cifar10_names();
std::vector<std::string> cifar100_names();

SetOpener open_imagenet;
SetOpener open_caltech101;
SetOpener open_oxford_pets;
SetOpener open_stanford_cars;
SetOpener open_fgvc_aircraft;
SetOpener open_food101;
SetOpener open_flowers102;
SetOpener open_eurosat;
SetOpener open_dtd;
SetOpener open_sun397;
SetOpener open_cifar10;
SetOpener open_cifar100;

}  // namespace dd
