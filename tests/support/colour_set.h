// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "dd/core/seeds.h"
#include "dd/image/write.h"

namespace dd::test {

/// A class of pictures that differ from those of other classes by their colour.
struct ColourClass {
  std::string folder;
  std::array<int, 3> colour;
};

inline const std::vector<ColourClass>& colour_classes() {
  static const std::vector<ColourClass> kClasses{
      {"red_top", {220, 40, 40}}, {"green_bag", {40, 200, 60}}, {"blue_coat", {40, 60, 220}}};
  return kClasses;
}

/// Writes FOLDER/<class>/00000.png …: the class's colour under noise, other for each seed.
inline void write_colour_set(const std::filesystem::path& folder, int each, std::uint64_t seed,
                             const std::vector<ColourClass>& classes = colour_classes(),
                             int size = 16) {
  for (const ColourClass& item : classes) {
    std::filesystem::create_directories(folder / item.folder);
    for (int number = 0; number < each; ++number) {
      Random random(mix_seed(seed, item.folder, {static_cast<std::uint64_t>(number)}));
      Image image = make_image(size, size);
      for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        const auto noise = static_cast<int>(random.below(71)) - 35;
        const int level = item.colour[i % 3] + noise;
        image.rgb[i] = static_cast<std::uint8_t>(level < 0 ? 0 : level > 255 ? 255 : level);
      }
      std::string name = std::to_string(100000 + number).substr(1) + ".png";
      // Not write_png: waiting for the disk a thousand times would take longer than the tests.
      std::ofstream(folder / item.folder / name, std::ios::binary) << encode_png(image);
    }
  }
}

}  // namespace dd::test
