// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "dd/io/safetensors.h"

namespace dd::test {

/// Two trainings that differ in rounding only. AdamW's steps have the size of the rate however
/// small a gradient is, so that single numbers, whose gradient is near 0, may differ by a whole
/// step; all together hardly do. Other data or another clipping give gaps near 1.
inline constexpr double kRoundingGap = 5e-3;

/// Sum of |a - b| by sum of |b|, over two LoRA files with the same names and metadata.
inline double lora_gap(const std::filesystem::path& actual, const std::filesystem::path& expected) {
  const io::SafetensorsFile one(actual);
  const io::SafetensorsFile two(expected);
  EXPECT_EQ(one.metadata(), two.metadata());
  EXPECT_EQ(one.entries().size(), two.entries().size());
  double gap = 0;
  double size = 0;
  for (const io::TensorEntry& entry : two.entries()) {
    // A starts large and moves little: it would hide what B does.
    if (entry.name.find("lora_B") == std::string::npos) continue;
    const at::Tensor want = two.tensor(entry.name).to(at::kDouble);
    gap += (one.tensor(entry.name).to(at::kDouble) - want).abs().sum().item<double>();
    size += want.abs().sum().item<double>();
  }
  EXPECT_GT(size, 0);
  return gap / size;
}

}  // namespace dd::test
