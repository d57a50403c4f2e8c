// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/validation.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/io/safetensors.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

TEST(ValidationRecord, KeepsTheBestOverARestart) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "best";
  {
    ValidationRecord record(file, "identity");
    record.add(10, 0.5, at::full({2}, 1.0));
    record.add(20, 0.75, at::full({2}, 2.0));
    record.add(30, 0.75, at::full({2}, 3.0));
  }
  const ValidationRecord again(file, "identity");
  EXPECT_EQ(again.curve(), (std::map<std::int64_t, double>{{10, 0.5}, {20, 0.75}, {30, 0.75}}));
  EXPECT_EQ(again.best_step(), 20);
  EXPECT_TRUE(at::equal(again.best(), at::full({2}, 2.0F)));
  EXPECT_TRUE(ValidationRecord(file, "another").curve().empty());
}

TEST(ValidationRecord, DamageIsNamed) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "best";
  const std::vector<io::Metadata> damaged{
      {{"identity", "identity"}},
      {{"identity", "identity"}, {"record", "{"}},
      {{"identity", "identity"}, {"record", R"({"curve": [[1]], "best_step": 1})"}},
      {{"identity", "identity"}, {"record", R"({"curve": [], "best_step": "x"})"}}};
  for (const io::Metadata& metadata : damaged) {
    io::write_safetensors(file, {{"best", at::full({2}, 1.0)}}, metadata);
    try {
      const ValidationRecord record(file, "identity");
      ADD_FAILURE() << "taken over";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace dd::classify
