// SPDX-License-Identifier: Apache-2.0
#include "dd/data/affine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "dd/core/error.h"

namespace dd {
namespace {

constexpr int kLongest = 32767;

std::int64_t fixed(double value) {
  return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5));
}

// PIL rounds so, which makes a right angle exact.
double fifteen_places(double value) {
  return std::round(value * 1e15) / 1e15;
}

}  // namespace

Image transform(const Image& image, const AffineMap& map) {
  ensure(std::max(image.width, image.height) <= kLongest, "the picture is too large to transform");
  Image result = make_image(image.width, image.height);
  // Both count from the middle of a pixel.
  std::int64_t row_x = fixed(map.x0 + 0.5 * map.xx + 0.5 * map.xy);
  std::int64_t row_y = fixed(map.y0 + 0.5 * map.yx + 0.5 * map.yy);
  for (int y = 0; y < image.height; ++y) {
    std::int64_t at_x = row_x;
    std::int64_t at_y = row_y;
    for (int x = 0; x < image.width; ++x) {
      // Arithmetic shifts round down, so what lies outside stays outside.
      const auto from_x = static_cast<int>(at_x >> 16);
      const auto from_y = static_cast<int>(at_y >> 16);
      if (from_x >= 0 && from_x < image.width && from_y >= 0 && from_y < image.height) {
        std::copy_n(image.pixel(from_x, from_y), 3, result.pixel(x, y));
      }
      at_x += fixed(map.xx);
      at_y += fixed(map.yx);
    }
    row_x += fixed(map.xy);
    row_y += fixed(map.yy);
  }
  return result;
}

AffineMap rotation(const Image& image, double degrees) {
  const double turn = -degrees * std::numbers::pi / 180;
  const double cosine = fifteen_places(std::cos(turn));
  const double sine = fifteen_places(std::sin(turn));
  const double x = 0.5 * image.width;
  const double y = 0.5 * image.height;
  return {.xx = cosine,
          .xy = sine,
          .x0 = x - cosine * x - sine * y,
          .yx = -sine,
          .yy = cosine,
          .y0 = y + sine * x - cosine * y};
}

}  // namespace dd
