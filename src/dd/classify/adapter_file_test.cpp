// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/adapter_file.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/io/safetensors.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

class AdapterFileTest : public testing::Test {
 protected:
  AdapterFileTest() {
    for (const char* layer : {"text_model.encoder.layers.0.self_attn.q_proj",
                              "vision_model.encoder.layers.1.mlp.fc1"}) {
      weights_.pairs.push_back({layer, at::randn({2, 6}), at::randn({5, 2}), 4.0});
    }
    write_adapter(folder(), weights_, {.rank = 2, .alpha = 8});
  }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::string refusal() const {
    try {
      read_adapter(folder());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "";
  }
  void write_tensors(const io::NamedTensors& tensors) const {
    io::write_safetensors(folder() / kAdapterFile, tensors);
  }

  lora::LoraWeights weights_;

 private:
  const test::TemporaryFolder folder_;
};

TEST_F(AdapterFileTest, GivesBackWhatWasWritten) {
  const lora::LoraWeights again = read_adapter(folder());
  ASSERT_EQ(again.pairs.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again.pairs[i].layer, weights_.pairs[i].layer);
    EXPECT_TRUE(again.pairs[i].down.equal(weights_.pairs[i].down));
    EXPECT_TRUE(again.pairs[i].up.equal(weights_.pairs[i].up));
    EXPECT_DOUBLE_EQ(again.pairs[i].scale, 4.0);
  }
}

TEST_F(AdapterFileTest, NamesAreThoseOfPeft) {
  const io::SafetensorsFile file(folder() / kAdapterFile);
  EXPECT_TRUE(
      file.contains("base_model.model.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight"));
  const Json config = read_json(folder() / kAdapterConfig);
  EXPECT_EQ(config.at("target_modules"), Json({"fc1", "q_proj"}));
  EXPECT_EQ(config.at("lora_alpha"), 8);
}

TEST_F(AdapterFileTest, NamesWhatIsWrong) {
  const std::string down = "base_model.model.x.lora_A.weight";
  const std::string up = "base_model.model.x.lora_B.weight";
  write_tensors({{down, at::randn({2, 6})}});
  EXPECT_NE(refusal().find("lacks its other half"), std::string::npos);
  write_tensors({{up, at::randn({5, 2})}});
  EXPECT_NE(refusal().find("0 lora_A and 1 lora_B"), std::string::npos);
  write_tensors({{"x.lora_A.weight", at::randn({2, 6})}});
  EXPECT_NE(refusal().find("no part of a LoRA"), std::string::npos);
  write_tensors({{down, at::randn({3, 6})}, {up, at::randn({5, 3})}});
  EXPECT_NE(refusal().find("not of rank 2"), std::string::npos);
  std::filesystem::remove(folder() / kAdapterConfig);
  EXPECT_NE(refusal().find(kAdapterConfig), std::string::npos);
}

}  // namespace
}  // namespace dd::classify
