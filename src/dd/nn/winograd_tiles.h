// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace dd::nn {

/// How Winograd's minimal filtering cuts an image (Lavin, Gray 2016, "Fast algorithms for
/// convolutional neural networks"): each tile of m × m results of a 3×3 filter needs m + 2 by m + 2
/// inputs, which are transformed, multiplied number by number and transformed back.
struct Tiling {
  std::int64_t m = 4;  ///< 2 or 4
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::int64_t numbers() const { return (m + 2) * (m + 2); }  ///< of a transformed tile
  std::int64_t rows() const { return (height + m - 1) / m; }
  std::int64_t columns() const { return (width + m - 1) / m; }
};

/// Where transformed tiles lie: number i of the tile t at values[i * stride + t].
template <class Float>
struct Tiles {
  Float* values;
  std::int64_t stride;
};

/// The transformed filters of `count` inputs: filter i is the nine numbers at weights[i * step],
/// `flipped` taken from the last to the first, and becomes tile i.
struct Filters {
  const float* weights;
  std::int64_t step;
  std::int64_t count;
  bool flipped;
};
void transform_filters(std::int64_t m, const Filters& filters, Tiles<float> out);

/// The tiles of the tile rows first ≤ row < last of a plane [height, width] that is zero around.
void transform_plane(const Tiling& tiling, const float* plane, std::int64_t first,
                     std::int64_t last, Tiles<float> out);

/// Back again: results into the same rows of a plane, `bias` added.
void restore_plane(const Tiling& tiling, Tiles<const float> tiles, std::int64_t first,
                   std::int64_t last, float bias, float* plane);

}  // namespace dd::nn
