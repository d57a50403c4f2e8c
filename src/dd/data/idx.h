// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace dd {

/// Grey images of one size, `count` * `height` * `width` bytes, as MNIST's IDX files hold them.
struct IdxImages {
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;

  const std::uint8_t* image(std::int64_t index) const {
    return pixels.data() + static_cast<std::size_t>(index * height * width);
  }
};

/// Read an IDX file of unsigned bytes (format: the MNIST page of LeCun, Cortes and Burges), plain
/// or gzip-compressed, whichever the content is; when `path` does not exist, `path` with ".gz"
/// added or removed is tried. Sizes are checked before anything is allocated. Error(kInput) names a
/// file that is missing, of another type, truncated, damaged or too long.
IdxImages read_idx_images(const std::filesystem::path& path);
std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path);

}  // namespace dd
