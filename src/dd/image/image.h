// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dd {

/// A picture in memory: sRGB, 8 bits, three channels, rows from top to bottom (HWC). A plain value:
/// copies are independent, concurrent reading is safe.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb{};  ///< width * height * 3 bytes

  /// Byte offset of the red value of (x, y); x and y must lie inside.
  std::size_t offset(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
            static_cast<std::size_t>(x)) *
           3;
  }
  std::uint8_t* pixel(int x, int y) { return rgb.data() + offset(x, y); }
  const std::uint8_t* pixel(int x, int y) const { return rgb.data() + offset(x, y); }
  bool empty() const { return width == 0 || height == 0; }

  friend bool operator==(const Image&, const Image&) = default;
};

/// A picture of one grey level.
inline Image make_image(int width, int height, std::uint8_t level = 0) {
  return {width, height,
          std::vector<std::uint8_t>(
              static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, level)};
}

}  // namespace dd
