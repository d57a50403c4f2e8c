// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/batch_size.h"

#include <gtest/gtest.h>

namespace dd::generate {
namespace {

constexpr std::int64_t kGigabyte = std::int64_t{1} << 30;

/// Stable Diffusion's own shapes are the defaults of the configurations.
std::int64_t drawn(std::int64_t side, const BatchLimits& limits, double guidance = 2) {
  const SamplingOptions options{.guidance = {.scale = guidance}, .width = side, .height = side};
  return drawing_batch({}, {}, options, limits);
}

TEST(BatchSize, WithoutAWordOfMemoryItGoesByTheSize) {
  EXPECT_EQ(drawn(512, {}), 4);
  EXPECT_EQ(drawn(1024, {}), 1);
  EXPECT_EQ(drawn(32, {}), 64);
  const BatchLimits graphics{.placement = {.device = at::Device(at::kCUDA, 0)}};
  EXPECT_EQ(drawn(512, graphics), 64);
}

TEST(BatchSize, LittleMemoryMakesItSmallerAndMuchDoesNotMakeItLargerOnACpu) {
  EXPECT_EQ(drawn(512, {.free_bytes = 100 * kGigabyte}), 4);
  EXPECT_EQ(drawn(512, {.free_bytes = 1 * kGigabyte}), 2);
  EXPECT_EQ(drawn(512, {.free_bytes = 1 * kGigabyte}, 1), 4) << "half the rows without guidance";
  EXPECT_EQ(drawn(512, {.free_bytes = 0}), 1);
}

TEST(BatchSize, OnOtherDevicesItGrowsWithTheMemory) {
  BatchLimits limits{.placement = {.device = at::Device(at::kCUDA, 0), .dtype = at::kBFloat16}};
  limits.free_bytes = 8 * kGigabyte;
  EXPECT_EQ(drawn(512, limits), 34);
  limits.free_bytes = 80 * kGigabyte;
  EXPECT_EQ(drawn(512, limits), 64);
}

TEST(BatchSize, DecodingTakesMoreMemoryAndLessOfIt) {
  SamplingOptions options{.width = 512, .height = 512};
  const auto decoded = [&](const BatchLimits& limits) {
    return decoding_batch({}, options, limits);
  };
  EXPECT_EQ(decoded({}), 4);
  EXPECT_EQ(decoded({.free_bytes = 4 * kGigabyte}), 2);
  EXPECT_EQ(decoded({.free_bytes = 1}), 1);
  options.decode_shrink = 2;
  EXPECT_EQ(decoded({}), 16);
  EXPECT_EQ(decoded({.free_bytes = 4 * kGigabyte}), 8);
}

}  // namespace
}  // namespace dd::generate
