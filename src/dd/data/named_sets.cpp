// SPDX-License-Identifier: Apache-2.0
#include "dd/data/named_sets.h"

#include <algorithm>

#include "dd/data/fashion_mnist.h"

namespace dd {
namespace {

std::vector<std::string> fashion_names() {
  return fashion_mnist_classes();
}

std::unique_ptr<Dataset> open_fashion(const std::filesystem::path& root, const std::string& split,
                                      const ReadOptions&) {
  return open_fashion_mnist(root, split);
}

// Domain words: DataDream's own table. Counts: the sets' pages; Caltech-101 without the two folders
// that CoOp leaves out, SUN397 the first of its official partitions, Fashion-MNIST without "world".
constexpr NamedSet kNamedSets[] = {
    {"imagenet", "", 1331167, imagenet_names, open_imagenet},
    {"caltech101", "", 8242, caltech101_names, open_caltech101},
    {"oxford-pets", "pet", 7349, oxford_pets_names, open_oxford_pets},
    {"stanford-cars", "car", 16185, stanford_cars_names, open_stanford_cars},
    {"fgvc-aircraft", "aircraft", 10000, fgvc_aircraft_names, open_fgvc_aircraft},
    {"food101", "food", 101000, food101_names, open_food101},
    {"flowers102", "flower", 8189, flowers102_names, open_flowers102},
    {"eurosat", "satellite", 27000, eurosat_names, open_eurosat},
    {"dtd", "texture", 5640, dtd_names, open_dtd},
    {"sun397", "scene", 39700, sun397_names, open_sun397},
    {"fashion-mnist", "", 20000, fashion_names, open_fashion},
    {"cifar10", "", 60000, cifar10_names, open_cifar10},
    {"cifar100", "", 60000, cifar100_names, open_cifar100},
};

}  // namespace

std::span<const NamedSet> named_sets() {
  return kNamedSets;
}

const NamedSet* find_named_set(const std::string& name) {
  const auto* found =
      std::ranges::find_if(kNamedSets, [&](const NamedSet& set) { return name == set.name; });
  return found == std::end(kNamedSets) ? nullptr : found;
}

}  // namespace dd
