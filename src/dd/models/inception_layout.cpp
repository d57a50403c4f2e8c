// SPDX-License-Identifier: Apache-2.0
#include "dd/models/inception_layout.h"

namespace dd::models {
namespace {

using Pool = InceptionPool;
using Branch = InceptionBranchPlan;
using Block = InceptionBlockPlan;

constexpr bool kUnpadded = false;

Block block_a(const std::string& name, const std::string& script, std::int64_t pooled) {
  return {name,
          script,
          {Branch{.row = {{"branch1x1", "conv", 64}}},
           Branch{.row = {{"branch5x5_1", "tower.conv", 48},
                          {"branch5x5_2", "tower.conv_1", 64, 5, 5}}},
           Branch{.row = {{"branch3x3dbl_1", "tower_1.conv", 64},
                          {"branch3x3dbl_2", "tower_1.conv_1", 96, 3, 3},
                          {"branch3x3dbl_3", "tower_1.conv_2", 96, 3, 3}}},
           Branch{.pool = Pool::kAverage, .row = {{"branch_pool", "tower_2.conv", pooled}}}}};
}

Block block_b(const std::string& name, const std::string& script) {
  return {name,
          script,
          {Branch{.row = {{"branch3x3", "conv", 384, 3, 3, 2, kUnpadded}}},
           Branch{.row = {{"branch3x3dbl_1", "tower.conv", 64},
                          {"branch3x3dbl_2", "tower.conv_1", 96, 3, 3},
                          {"branch3x3dbl_3", "tower.conv_2", 96, 3, 3, 2, kUnpadded}}},
           Branch{.pool = Pool::kHalving}}};
}

Block block_c(const std::string& name, const std::string& script, std::int64_t inner) {
  return {name,
          script,
          {Branch{.row = {{"branch1x1", "conv", 192}}},
           Branch{.row = {{"branch7x7_1", "tower.conv", inner},
                          {"branch7x7_2", "tower.conv_1", inner, 1, 7},
                          {"branch7x7_3", "tower.conv_2", 192, 7, 1}}},
           Branch{.row = {{"branch7x7dbl_1", "tower_1.conv", inner},
                          {"branch7x7dbl_2", "tower_1.conv_1", inner, 7, 1},
                          {"branch7x7dbl_3", "tower_1.conv_2", inner, 1, 7},
                          {"branch7x7dbl_4", "tower_1.conv_3", inner, 7, 1},
                          {"branch7x7dbl_5", "tower_1.conv_4", 192, 1, 7}}},
           Branch{.pool = Pool::kAverage, .row = {{"branch_pool", "tower_2.conv", 192}}}}};
}

Block block_d(const std::string& name, const std::string& script) {
  return {name,
          script,
          {Branch{.row = {{"branch3x3_1", "tower.conv", 192},
                          {"branch3x3_2", "tower.conv_1", 320, 3, 3, 2, kUnpadded}}},
           Branch{.row = {{"branch7x7x3_1", "tower_1.conv", 192},
                          {"branch7x7x3_2", "tower_1.conv_1", 192, 1, 7},
                          {"branch7x7x3_3", "tower_1.conv_2", 192, 7, 1},
                          {"branch7x7x3_4", "tower_1.conv_3", 192, 3, 3, 2, kUnpadded}}},
           Branch{.pool = Pool::kHalving}}};
}

Block block_e(const std::string& name, const std::string& script, Pool pool) {
  return {name,
          script,
          {Branch{.row = {{"branch1x1", "conv", 320}}},
           Branch{.row = {{"branch3x3_1", "tower_conv", 384}},
                  .fork = {{"branch3x3_2a", "tower_mixed_conv", 384, 1, 3},
                           {"branch3x3_2b", "tower_mixed_conv_1", 384, 3, 1}}},
           Branch{.row = {{"branch3x3dbl_1", "tower_1_conv", 448},
                          {"branch3x3dbl_2", "tower_1_conv_1", 384, 3, 3}},
                  .fork = {{"branch3x3dbl_3a", "tower_1_mixed_conv", 384, 1, 3},
                           {"branch3x3dbl_3b", "tower_1_mixed_conv_1", 384, 3, 1}}},
           Branch{.pool = pool, .row = {{"branch_pool", "tower_2_conv", 192}}}}};
}

}  // namespace

std::vector<InceptionBlockPlan> inception_plan() {
  return {{"",
           "",
           {Branch{.row = {{"Conv2d_1a_3x3", "conv", 32, 3, 3, 2, kUnpadded},
                           {"Conv2d_2a_3x3", "conv_1", 32, 3, 3, 1, kUnpadded},
                           {"Conv2d_2b_3x3", "conv_2", 64, 3, 3}}}}},
          {"",
           "",
           {Branch{.pool = Pool::kHalving,
                   .row = {{"Conv2d_3b_1x1", "conv_3", 80},
                           {"Conv2d_4a_3x3", "conv_4", 192, 3, 3, 1, kUnpadded}}}}},
          {"", "", {Branch{.pool = Pool::kHalving}}},
          block_a("Mixed_5b", "mixed", 32),
          block_a("Mixed_5c", "mixed_1", 64),
          block_a("Mixed_5d", "mixed_2", 64),
          block_b("Mixed_6a", "mixed_3"),
          block_c("Mixed_6b", "mixed_4", 128),
          block_c("Mixed_6c", "mixed_5", 160),
          block_c("Mixed_6d", "mixed_6", 160),
          block_c("Mixed_6e", "mixed_7", 192),
          block_d("Mixed_7a", "mixed_8"),
          block_e("Mixed_7b", "mixed_9", Pool::kAverage),
          block_e("Mixed_7c", "mixed_10", Pool::kMaximum)};
}

}  // namespace dd::models
