// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "dd/image/read.h"

namespace dd::test {

/// The largest difference of a channel, of 255 levels, between two pictures of one size.
inline int worst_level(const std::filesystem::path& one, const std::filesystem::path& other) {
  const Image first = read_image(one);
  const Image second = read_image(other);
  EXPECT_EQ(first.rgb.size(), second.rgb.size()) << one;
  int worst = 0;
  for (std::size_t i = 0; i < std::min(first.rgb.size(), second.rgb.size()); ++i)
    worst = std::max(worst, std::abs(first.rgb[i] - second.rgb[i]));
  return worst;
}

}  // namespace dd::test
