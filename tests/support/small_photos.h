// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/seeds.h"
#include "dd/image/write.h"

namespace dd::test {

/// Writes `count` pictures of `width` x `height` noise around a colour of its own into a folder for
/// each class.
inline void write_photos(const std::filesystem::path& root, const std::vector<std::string>& classes,
                         int count, int width, int height) {
  std::uint64_t seed = 1;
  for (const std::string& name : classes) {
    std::filesystem::create_directories(root / name);
    for (int i = 0; i < count; ++i) {
      // Other pictures in another folder of the same classes, such as test beside train.
      Random random(mix_seed(seed++, root.filename().string()));
      Image image = make_image(width, height);
      for (std::size_t j = 0; j < image.rgb.size(); ++j) {
        const auto base = static_cast<std::int64_t>((seed * 40 + j % 3 * 60) % 200);
        image.rgb[j] = static_cast<std::uint8_t>(base + random.below(56));
      }
      write_png(root / name / (std::to_string(i) + ".png"), image);
    }
  }
}

}  // namespace dd::test
