// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "dd/io/safetensors.h"

namespace dd::test {

/// tests/oracle/<path>
inline std::filesystem::path oracle_path(const std::string& path) {
  return std::filesystem::path(DD_SOURCE_DIR) / "tests" / "oracle" / path;
}

/// max|a - b| / max|b| in double precision; 0 for two tensors of zeros.
inline double relative_gap(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor want = expected.detach().to(at::kDouble);
  const double gap = (actual.detach().to(at::kDouble) - want).abs().max().item<double>();
  const double size = want.abs().max().item<double>();
  return gap == 0 ? 0 : gap / size;
}

/// The rule that every oracle folder's README.json states.
inline constexpr double kOracleTolerance = 1e-4;

inline void expect_close(const at::Tensor& actual, const at::Tensor& expected,
                         const std::string& what, double relative = kOracleTolerance) {
  ASSERT_TRUE(actual.defined()) << what << " is missing";
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  // Not "gap > relative": a NaN must fail.
  EXPECT_LE(relative_gap(actual, expected), relative) << what;
}

}  // namespace dd::test
