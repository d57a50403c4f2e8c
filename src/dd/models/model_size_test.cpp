// SPDX-License-Identifier: Apache-2.0
#include "dd/models/model_size.h"

#include <gtest/gtest.h>

namespace dd::models {
namespace {

TEST(ModelSize, PartsAtRestCountAsTheyLieInTheFile) {
  const std::vector<io::TensorInfo> tensors{{"unet.conv_in.weight", at::kHalf, {10, 3}},
                                            {"text_encoder.a", at::kHalf, {100}},
                                            {"vae.b", at::kFloat, {1000}},
                                            {"cond_stage_model.c", at::kHalf, {10000}}};
  Placement placement;
  EXPECT_EQ(model_bytes(tensors, placement), 4 * (30 + 100 + 1000 + 10000));
  placement.at_rest = true;
  EXPECT_EQ(model_bytes(tensors, placement), 4 * (30 + 1000) + 2 * (100 + 10000));
  placement.dtype = at::kHalf;
  EXPECT_EQ(model_bytes(tensors, placement), 2 * (30 + 100 + 1000 + 10000));
}

}  // namespace
}  // namespace dd::models
