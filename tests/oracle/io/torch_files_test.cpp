// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>

#include "dd/io/checkpoint.h"
#include "support/oracle.h"

namespace {

using dd::test::oracle_path;

/// The file that PyTorch wrote holds the tensors recorded under this prefix, and no others.
void expect_recorded(const std::string& file, const std::string& prefix) {
  SCOPED_TRACE(file);
  const dd::io::SafetensorsFile expected(oracle_path("io/expected.safetensors"));
  const dd::io::Checkpoint actual = dd::io::Checkpoint::open_file(oracle_path("io") / file);
  std::vector<std::string> names;
  for (const dd::io::TensorEntry& entry : expected.entries()) {
    if (!entry.name.starts_with(prefix)) continue;
    const std::string name = entry.name.substr(prefix.size());
    names.push_back(name);
    ASSERT_TRUE(actual.contains(name)) << name;
    EXPECT_EQ(actual.info(name).shape, entry.shape) << name;
    EXPECT_EQ(actual.info(name).dtype, entry.dtype) << name;
    EXPECT_TRUE(at::equal(actual.tensor(name), expected.tensor(entry.name))) << name;
  }
  EXPECT_GT(names.size(), 3);
  EXPECT_EQ(actual.names().size(), names.size());
}

TEST(TorchFiles, EveryNumberFormatAndViewIsRead) {
  expect_recorded("archive.pt", "many.");
  expect_recorded("legacy.pt", "many.");
}

TEST(TorchFiles, WeightsAreFoundInTrainingStatesAndModules) {
  expect_recorded("lightning.ckpt", "module.");
  expect_recorded("lightning-legacy.ckpt", "module.");
  expect_recorded("module.pt", "module.");
  expect_recorded("script.pt", "module.");
  EXPECT_EQ(
      dd::io::Checkpoint::open_file(oracle_path("io/lightning.ckpt")).metadata().at("global_step"),
      "875000");
}

}  // namespace
