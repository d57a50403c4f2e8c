// SPDX-License-Identifier: Apache-2.0
// LoRA files: what diffusers writes is read, what we write has diffusers' names and settings.
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/lora/lora_file.h"
#include "oracle/lora/recorded_lora.h"
#include "support/temporary_folder.h"

namespace dd::lora {
namespace {

using test::RecordedLora;

void expect_same_pairs(const LoraWeights& actual, const LoraWeights& expected) {
  ASSERT_EQ(actual.pairs.size(), expected.pairs.size());
  for (std::size_t i = 0; i < expected.pairs.size(); ++i) {
    const LoraPair &have = actual.pairs[i], &want = expected.pairs[i];
    EXPECT_EQ(have.layer, want.layer);
    EXPECT_TRUE(have.down.equal(want.down)) << want.layer;
    EXPECT_TRUE(have.up.equal(want.up)) << want.layer;
    EXPECT_EQ(have.scale, want.scale) << want.layer;
  }
}

class LoraFiles : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path written() const { return folder_.path() / kLoraFileName; }

  RecordedLora recorded_{GetParam()};
  test::TemporaryFolder folder_;
};

TEST_P(LoraFiles, FileOfDiffusersTrainingScriptsIsReadWithItsScale) {
  const LoraFile file = read_lora(recorded_.lora_folder / kLoraFileName, recorded_.parts());
  expect_same_pairs(file.weights, recorded_.weights);
  EXPECT_TRUE(file.record.base_model.empty());
}

TEST_P(LoraFiles, FileWithoutMetadataHasAlphaEqualToRank) {
  const LoraFile file = read_lora(recorded_.lora_folder / "lora.safetensors", recorded_.parts());
  for (const LoraPair& pair : file.weights.pairs) EXPECT_EQ(pair.scale, 1) << pair.layer;
}

TEST_P(LoraFiles, WrittenFileHasTheNamesOfPeft) {
  write_lora(written(), recorded_.weights, {});
  const auto ours = test::tensors_of(io::SafetensorsFile(written()));
  const auto peft =
      test::tensors_of(io::SafetensorsFile(recorded_.lora_folder / "lora.safetensors"));
  ASSERT_EQ(ours.size(), peft.size());
  for (const auto& [name, value] : peft) {
    ASSERT_TRUE(ours.contains(name)) << name;
    EXPECT_TRUE(ours.at(name).equal(value)) << name;
  }
}

TEST_P(LoraFiles, WrittenFileStatesRankAndAlphaAsDiffusersDoes) {
  write_lora(written(), recorded_.weights, {});
  const auto settings = [](const std::filesystem::path& path) {
    return Json::parse(io::SafetensorsFile(path).metadata().at("lora_adapter_metadata"));
  };
  const Json ours = settings(written());
  const Json theirs = settings(recorded_.lora_folder / kLoraFileName);
  for (const char* part : {"unet.", "text_encoder."}) {
    for (const char* key : {"r", "lora_alpha", "peft_type", "bias", "use_dora", "use_rslora"}) {
      const std::string name = std::string(part) + key;
      if (!ours.contains(name) && theirs.at(name) == false) continue;  // peft's own default
      ASSERT_TRUE(ours.contains(name)) << name;
      EXPECT_EQ(ours.at(name), theirs.at(name)) << name;
    }
  }
  for (const auto& [name, value] : ours.items())
    EXPECT_TRUE(theirs.contains(name)) << name << " is unknown to peft";
}

TEST_P(LoraFiles, WrittenFileIsReadBackWithItsRecord) {
  LoraRecord record;
  record.base_model = "abc";
  record.prompt_template = "a photo of a {}";
  write_lora(written(), recorded_.weights, record);
  const LoraFile file = read_lora(written(), recorded_.parts());
  expect_same_pairs(file.weights, recorded_.weights);
  EXPECT_EQ(file.record.base_model, "abc");
  EXPECT_EQ(file.record.prompt_template, "a photo of a {}");
}

INSTANTIATE_TEST_SUITE_P(Families, LoraFiles, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::lora
