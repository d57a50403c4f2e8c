// SPDX-License-Identifier: Apache-2.0
#include "dd/core/shard.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "dd/core/error.h"

namespace {

using dd::parse_shard;
using dd::Shard;

TEST(Shard, TextIsChecked) {
  EXPECT_EQ(parse_shard("2/3").number, 2);
  EXPECT_EQ(parse_shard("2/3").of, 3);
  EXPECT_EQ(parse_shard("2/3").text(), "2/3");
  for (const char* wrong : {"", "1", "0/2", "3/2", "1/0", "1/2x", "x", "1/", "1/2000", "-1/2"}) {
    EXPECT_THROW(parse_shard(wrong), dd::Error) << wrong;
  }
}

TEST(Shard, EveryPieceIsInOnePartAndPartsAreAboutEqual) {
  for (const std::int64_t total : {0, 1, 5, 12, 1000}) {
    for (const std::int64_t of : {1, 2, 3, 7}) {
      std::vector<std::int64_t> sizes(static_cast<std::size_t>(of), 0);
      for (std::int64_t i = 0; i < total; ++i) {
        int holders = 0;
        for (std::int64_t number = 1; number <= of; ++number) {
          if (!Shard{number, of}.holds(i, total)) continue;
          ++holders;
          ++sizes[static_cast<std::size_t>(number - 1)];
        }
        EXPECT_EQ(holders, 1) << i << " of " << total << " in " << of;
      }
      for (const std::int64_t size : sizes) {
        EXPECT_LE(std::abs(size * of - total), of) << total << " in " << of;
      }
    }
  }
}

}  // namespace
