// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dd/image/image.h"

namespace dd::test {

/// Absolute differences of all values of two images of one size.
inline std::vector<int> differences(const Image& a, const Image& b) {
  std::vector<int> result;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) result.push_back(std::abs(a.rgb[i] - b.rgb[i]));
  return result;
}

/// The largest of them, of 255 levels.
inline int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  if (a.rgb.empty() || a.rgb.size() != b.rgb.size()) return 255;
  return std::ranges::max(differences(a, b));
}

/// The rule that the README.json of oracle folders of pictures states.
inline void expect_same_picture(const Image& ours, const Image& recorded) {
  ASSERT_EQ(ours.width, recorded.width);
  ASSERT_EQ(ours.height, recorded.height);
  const std::vector<int> gaps = differences(ours, recorded);
  double sum = 0;
  for (const int gap : gaps) sum += gap;
  const auto near = std::count_if(gaps.begin(), gaps.end(), [](int gap) { return gap <= 2; });
  EXPECT_LT(sum / static_cast<double>(gaps.size()), 0.5);
  EXPECT_GE(static_cast<double>(near), 0.999 * static_cast<double>(gaps.size()));
}

}  // namespace dd::test
