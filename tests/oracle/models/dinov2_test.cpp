// SPDX-License-Identifier: Apache-2.0
// DINOv2 against transformers' Dinov2Model and Dinov2WithRegistersModel.
#include "dd/models/dinov2.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::models {
namespace {

namespace fs = std::filesystem;
using test::expect_close;
using test::oracle_path;

class Dinov2Oracle : public testing::TestWithParam<const char*> {
 protected:
  fs::path folder_ = oracle_path("models") / GetParam();
  io::SafetensorsFile expected_{folder_ / "expected.safetensors"};
};

TEST_P(Dinov2Oracle, FeaturesOfEverySizeEqualTransformers) {
  const Dinov2 model = Dinov2::load(folder_, {});
  for (const std::string size : {"own", "smaller", "larger", "oblong"}) {
    expect_close(model(expected_.tensor("pixels." + size)), expected_.tensor("features." + size),
                 size);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Dinov2Oracle,
                         testing::Values("dinov2", "dinov2_swiglu", "dinov2_registers"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Dinov2, TheNamesOfTransformersFiveAreReadToo) {
  const fs::path folder = oracle_path("models/dinov2_swiglu");
  const test::TemporaryFolder copy;
  fs::copy_file(folder / "config.json", copy.path() / "config.json");
  fs::copy_file(folder / "new_names.safetensors", copy.path() / "model.safetensors");
  const io::SafetensorsFile expected(folder / "expected.safetensors");
  const at::Tensor pixels = expected.tensor("pixels.own");
  expect_close(Dinov2::load(copy.path(), {})(pixels), Dinov2::load(folder, {})(pixels), "features");
}

TEST(Dinov2, ConfigurationsThatCannotBeAreRefused) {
  const auto error_of = [](const Json& json) -> std::string {
    try {
      Dinov2Config::from_json(json, "config.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of({{"model_type", "dinov2"}}), "no error");
  EXPECT_NE(error_of({{"model_type", "vit"}}).find("\"vit\""), std::string::npos);
  const std::pair<const char*, Json> kWrong[] = {
      {"hidden_size", -768}, {"num_attention_heads", 7}, {"patch_size", Json{14, 16}},
      {"image_size", 225},   {"mlp_ratio", "4"},         {"num_hidden_layers", 0},
      {"hidden_act", "relu"}};
  for (const auto& [key, value] : kWrong) {
    EXPECT_NE(error_of({{"model_type", "dinov2"}, {key, value}}).find("config.json"),
              std::string::npos)
        << key;
  }
}

}  // namespace
}  // namespace dd::models
