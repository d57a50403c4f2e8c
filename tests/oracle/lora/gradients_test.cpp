// SPDX-License-Identifier: Apache-2.0
// Loss and the gradient of every LoRA tensor against peft.
#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include "dd/models/clip.h"
#include "dd/train/flat_parameters.h"
#include "oracle/lora/recorded_lora.h"

namespace dd::lora {
namespace {

using test::expect_close;
using test::RecordedLora;

/// Compares the gradients that `loss` gives the set's tensors with all `grad.NAME` of the file.
void expect_recorded_gradients(const LoraSet& set, const at::Tensor& loss,
                               const io::SafetensorsFile& expected) {
  expect_close(loss.reshape({1}), expected.tensor("loss"), "loss");
  loss.backward();
  auto recorded = test::tensors_of(expected, "grad.");
  ASSERT_FALSE(recorded.empty());
  for (const auto& [name, value] : set.parameters()) {
    ASSERT_TRUE(recorded.contains(name)) << name << " is adapted here but not by peft";
    expect_close(value.grad(), recorded.at(name), name);
    recorded.erase(name);
  }
  EXPECT_TRUE(recorded.empty()) << recorded.begin()->first << " is adapted by peft but not here";
}

class LoraGradients : public ::testing::TestWithParam<const char*> {};

TEST_P(LoraGradients, OfTheDiffusionLossEqualPeft) {
  const RecordedLora recorded(GetParam());
  LoraSet set(recorded.parts(), attention_targets(), test::kRecordedOptions, 1);
  set.assign(recorded.weights);
  const train::FlatParameters trained(set.parameters());
  expect_close(recorded.prediction(), recorded.expected.tensor("prediction"), "prediction");
  expect_recorded_gradients(set, recorded.recorded_batch_loss(), recorded.expected);
}

INSTANTIATE_TEST_SUITE_P(Families, LoraGradients, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

TEST(ClipLoraGradients, OfCrossEntropyOverClassPromptsEqualPeft) {
  const models::Clip clip = models::Clip::load(test::oracle_path("models/clip"), {});
  const io::SafetensorsFile inputs(test::oracle_path("models/clip/expected.safetensors"));
  const io::SafetensorsFile expected(test::oracle_path("lora/clip/expected.safetensors"));
  const std::array<ModelPart, 1> parts{{{"", &clip.parameters()}}};
  LoraSet set(parts, clip_targets("qkvo", false), test::kRecordedOptions, 1);
  set.assign(test::recorded_weights(test::oracle_path("lora/clip/lora.safetensors")));
  const train::FlatParameters trained(set.parameters());
  const at::Tensor images = clip.encode_images(inputs.tensor("pixels"));
  const at::Tensor texts = clip.encode_texts(inputs.tensor("input_ids"));
  const at::Tensor logits = images.matmul(texts.t()) * clip.logit_scale().exp();
  expect_close(logits, expected.tensor("logits"), "logits");
  expect_recorded_gradients(set, at::cross_entropy_loss(logits, expected.tensor("labels")),
                            expected);
}

}  // namespace
}  // namespace dd::lora
