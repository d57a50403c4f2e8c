// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/winograd_tiles.h"

#include <algorithm>
#include <cstring>

// One version of the loops for each generation of vector units, chosen when the program starts.
// Sanitizers cannot bear a choice that early.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define DD_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DD_EACH_PROCESSOR
#endif
// Rows written are never rows read.
#if defined(__clang__)
#define DD_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define DD_APART _Pragma("GCC ivdep")
#endif
#define DD_ALWAYS __attribute__((always_inline))
#define DD_INLINE inline DD_ALWAYS

namespace dd::nn {
namespace {

// As many tiles go through together: their numbers stay in the first cache.
constexpr std::int64_t kBlock = 64;
using Row = float[kBlock];

/// Where the rows of a transform begin that lie `step` numbers apart.
template <class Float>
struct Rows {
  Float* first;
  std::int64_t step;
  Float* operator[](std::int64_t i) const { return first + i * step; }
};

/// The transforms along one axis, B^T, G and A^T of Lavin and Gray, of n tiles at a time, from rows
/// of numbers to rows of others.
template <int m>
struct Axis;

template <>
struct Axis<2> {
  template <class In, class Out>
  static DD_INLINE void input(const In& d, const Out& v, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      v[0][t] = d[0][t] - d[2][t];
      v[1][t] = d[1][t] + d[2][t];
      v[2][t] = d[2][t] - d[1][t];
      v[3][t] = d[1][t] - d[3][t];
    }
  }
  template <class In, class Out>
  static DD_INLINE void filter(const In& g, const Out& u, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      const float ends = g[0][t] + g[2][t];
      u[0][t] = g[0][t];
      u[1][t] = 0.5F * (ends + g[1][t]);
      u[2][t] = 0.5F * (ends - g[1][t]);
      u[3][t] = g[2][t];
    }
  }
  template <class In, class Out>
  static DD_INLINE void output(const In& o, const Out& y, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      y[0][t] = o[0][t] + o[1][t] + o[2][t];
      y[1][t] = o[1][t] - o[2][t] - o[3][t];
    }
  }
};

template <>
struct Axis<4> {
  template <class In, class Out>
  static DD_INLINE void input(const In& d, const Out& v, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      const float even = d[4][t] - 4 * d[2][t];
      const float odd = d[3][t] - 4 * d[1][t];
      const float far = d[4][t] - d[2][t];
      const float near = 2 * (d[3][t] - d[1][t]);
      v[0][t] = 4 * d[0][t] - 5 * d[2][t] + d[4][t];
      v[1][t] = even + odd;
      v[2][t] = even - odd;
      v[3][t] = far + near;
      v[4][t] = far - near;
      v[5][t] = 4 * d[1][t] - 5 * d[3][t] + d[5][t];
    }
  }
  template <class In, class Out>
  static DD_INLINE void filter(const In& g, const Out& u, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      const float ends = (g[0][t] + g[2][t]) * (-1.0F / 6);
      const float centre = g[1][t] * (1.0F / 6);
      const float wide = g[0][t] * (1.0F / 24) + g[2][t] * (1.0F / 6);
      const float half = g[1][t] * (1.0F / 12);
      u[0][t] = 0.25F * g[0][t];
      u[1][t] = ends - centre;
      u[2][t] = ends + centre;
      u[3][t] = wide + half;
      u[4][t] = wide - half;
      u[5][t] = g[2][t];
    }
  }
  template <class In, class Out>
  static DD_INLINE void output(const In& o, const Out& y, std::int64_t n) {
    DD_APART for (std::int64_t t = 0; t < n; ++t) {
      const float sum12 = o[1][t] + o[2][t];
      const float gap12 = o[1][t] - o[2][t];
      const float sum34 = o[3][t] + o[4][t];
      const float gap34 = o[3][t] - o[4][t];
      y[0][t] = o[0][t] + sum12 + sum34;
      y[1][t] = gap12 + 2 * gap34;
      y[2][t] = sum12 + 4 * sum34;
      y[3][t] = gap12 + 8 * gap34 + o[5][t];
    }
  }
};

/// Rows and columns of tiles that go through together.
struct Block {
  std::int64_t first_row, last_row, first_column, last_column;
  std::int64_t columns() const { return last_column - first_column; }
  std::int64_t tiles() const { return (last_row - first_row) * columns(); }
};

/// Calls `work` with blocks that hold the tile rows first ≤ row < last, and with the number of
/// tiles before each in the order of rows; a block of several rows spans all columns.
template <class Work>
DD_INLINE void for_each_block(const Tiling& tiling, std::int64_t first, std::int64_t last,
                              const Work& work) {
  const std::int64_t columns = tiling.columns();
  const std::int64_t high = std::max<std::int64_t>(1, kBlock / columns);
  for (std::int64_t row = first; row < last; row += high) {
    const std::int64_t end = std::min(row + high, last);
    for (std::int64_t column = 0; column < columns; column += kBlock) {
      const Block block{row, end, column, std::min(column + kBlock, columns)};
      work(block, (row - first) * columns + column);
    }
  }
}

/// The numbers of a block's tiles, line[i][j] being row i and column j of all.
template <int m>
DD_INLINE void gather(const Tiling& tiling, const float* plane, const Block& block,
                      Row (*into)[m + 2]) {
  const std::int64_t columns = block.columns();
  const std::int64_t begin = m * block.first_column - 1;
  const std::int64_t length = m * columns + 2;
  float line[m * kBlock + 2];
  for (std::int64_t row = block.first_row; row < block.last_row; ++row) {
    const std::int64_t place = (row - block.first_row) * columns;
    for (std::int64_t i = 0; i < m + 2; ++i) {
      const std::int64_t y = m * row + i - 1;
      std::fill_n(line, length, 0.0F);
      if (y >= 0 && y < tiling.height) {
        const std::int64_t from = std::max<std::int64_t>(begin, 0);
        const std::int64_t to = std::min(begin + length, tiling.width);
        std::memcpy(line + (from - begin), plane + y * tiling.width + from,
                    static_cast<std::size_t>(to - from) * sizeof(float));
      }
      Row* const rows = into[i];
      for (std::int64_t c = 0; c < columns; ++c) {
        for (int j = 0; j < m; ++j) rows[j][place + c] = line[m * c + j];
      }
      for (std::int64_t c = 0; c < columns; ++c) {
        for (int j = m; j < m + 2; ++j) rows[j][place + c] = line[m * c + j];
      }
    }
  }
}

template <int m>
DD_INLINE void plane_to_tiles(const Tiling& tiling, const float* plane, std::int64_t first,
                              std::int64_t last, Tiles<float> out) {
  constexpr int kSide = m + 2;
  for_each_block(tiling, first, last, [&](const Block& block, std::int64_t before) DD_ALWAYS {
    Row numbers[kSide][kSide];
    Row half[kSide][kSide];
    const std::int64_t n = block.tiles();
    gather<m>(tiling, plane, block, numbers);
    for (int i = 0; i < kSide; ++i) {
      Axis<m>::input(numbers[i], Rows<float>{half[0][i], kSide * kBlock}, n);
    }
    for (int j = 0; j < kSide; ++j) {
      float* const corner = out.values + j * out.stride + before;
      Axis<m>::input(half[j], Rows<float>{corner, kSide * out.stride}, n);
    }
  });
}

template <int m>
DD_INLINE void tiles_to_plane(const Tiling& tiling, Tiles<const float> tiles, std::int64_t first,
                              std::int64_t last, float bias, float* plane) {
  constexpr int kSide = m + 2;
  for_each_block(tiling, first, last, [&](const Block& block, std::int64_t before) DD_ALWAYS {
    Row half[m][kSide];
    const std::int64_t n = block.tiles();
    for (int j = 0; j < kSide; ++j) {
      const float* const corner = tiles.values + j * tiles.stride + before;
      Axis<m>::output(Rows<const float>{corner, kSide * tiles.stride},
                      Rows<float>{half[0][j], kSide * kBlock}, n);
    }
    const std::int64_t columns = block.columns();
    const std::int64_t begin = m * block.first_column;
    const std::int64_t length = std::min(m * columns, tiling.width - begin);
    for (int i = 0; i < m; ++i) {
      Row along[m];
      Axis<m>::output(half[i], Rows<float>{along[0], kBlock}, n);
      for (std::int64_t row = block.first_row; row < block.last_row; ++row) {
        const std::int64_t y = m * row + i;
        if (y >= tiling.height) break;
        const std::int64_t place = (row - block.first_row) * columns;
        float line[m * kBlock];
        for (std::int64_t c = 0; c < columns; ++c) {
          for (int j = 0; j < m; ++j) line[m * c + j] = along[j][place + c] + bias;
        }
        std::memcpy(plane + y * tiling.width + begin, line,
                    static_cast<std::size_t>(length) * sizeof(float));
      }
    }
  });
}

template <int m>
DD_INLINE void filters_to_tiles(const Filters& filters, Tiles<float> out) {
  constexpr int kSide = m + 2;
  for (std::int64_t begin = 0; begin < filters.count; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, filters.count - begin);
    Row numbers[3][3];
    for (std::int64_t t = 0; t < n; ++t) {
      const float* weights = filters.weights + (begin + t) * filters.step;
      for (int k = 0; k < 9; ++k) numbers[k / 3][k % 3][t] = weights[filters.flipped ? 8 - k : k];
    }
    Row half[kSide][3];
    for (int i = 0; i < 3; ++i) {
      Axis<m>::filter(numbers[i], Rows<float>{half[0][i], 3 * kBlock}, n);
    }
    for (int j = 0; j < kSide; ++j) {
      float* const corner = out.values + j * out.stride + begin;
      Axis<m>::filter(half[j], Rows<float>{corner, kSide * out.stride}, n);
    }
  }
}

}  // namespace

DD_EACH_PROCESSOR
void transform_filters(std::int64_t m, const Filters& filters, Tiles<float> out) {
  m == 2 ? filters_to_tiles<2>(filters, out) : filters_to_tiles<4>(filters, out);
}

DD_EACH_PROCESSOR
void transform_plane(const Tiling& tiling, const float* plane, std::int64_t first,
                     std::int64_t last, Tiles<float> out) {
  tiling.m == 2 ? plane_to_tiles<2>(tiling, plane, first, last, out)
                : plane_to_tiles<4>(tiling, plane, first, last, out);
}

DD_EACH_PROCESSOR
void restore_plane(const Tiling& tiling, Tiles<const float> tiles, std::int64_t first,
                   std::int64_t last, float bias, float* plane) {
  tiling.m == 2 ? tiles_to_plane<2>(tiling, tiles, first, last, bias, plane)
                : tiles_to_plane<4>(tiling, tiles, first, last, bias, plane);
}

}  // namespace dd::nn
