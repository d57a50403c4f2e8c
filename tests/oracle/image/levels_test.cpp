// SPDX-License-Identifier: Apache-2.0
// Pictures resized in floats against PIL's mode "F", as clean-fid resizes them.
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "dd/image/resize.h"
#include "support/oracle.h"
#include "support/ppm.h"

namespace dd {
namespace {

TEST(LevelsOracle, EverySizeEqualsPil) {
  const Image source = test::read_ppm(test::oracle_path("image/resize-source.ppm"));
  const io::SafetensorsFile expected(test::oracle_path("image/levels/expected.safetensors"));
  for (const io::TensorInfo& info : expected.infos()) {
    const auto height = static_cast<int>(info.shape.at(0));
    const auto width = static_cast<int>(info.shape.at(1));
    std::vector<float> levels = resize_levels(source, width, height);
    ASSERT_EQ(static_cast<std::int64_t>(levels.size()), std::int64_t{height} * width * 3);
    test::expect_close(at::from_blob(levels.data(), {height, width, 3}, at::kFloat),
                       expected.tensor(info.name), info.name, 1e-6);
  }
}

}  // namespace
}  // namespace dd
