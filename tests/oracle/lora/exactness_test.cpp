// SPDX-License-Identifier: Apache-2.0
// A fresh LoRA changes nothing, a removed or restored one leaves nothing, a merged one equals peft.
#include <gtest/gtest.h>

#include "dd/lora/merged_lora.h"
#include "oracle/lora/recorded_lora.h"

namespace dd::lora {
namespace {

using test::expect_close;
using test::RecordedLora;

class LoraExactness : public ::testing::TestWithParam<const char*> {
 protected:
  RecordedLora recorded_{GetParam()};
  at::Tensor base_ = recorded_.prediction();
};

TEST_P(LoraExactness, FreshPairsGiveTheBaseModelBitForBit) {
  const LoraSet set(recorded_.parts(), attention_targets(), test::kRecordedOptions, 7);
  EXPECT_TRUE(recorded_.prediction().equal(base_));
}

TEST_P(LoraExactness, RemovingALoraGivesTheBaseModelBitForBit) {
  LoraSet set(recorded_.parts(), attention_targets(), test::kRecordedOptions, 7);
  set.assign(recorded_.weights);
  EXPECT_FALSE(recorded_.prediction().equal(base_));
  set.remove();
  EXPECT_TRUE(recorded_.prediction().equal(base_));
}

TEST_P(LoraExactness, MergedWeightsPredictAsPeft) {
  const ScaledLora loras[] = {{.weights = &recorded_.weights}};
  const MergedLora merged(recorded_.parts(), loras);
  expect_close(recorded_.prediction(), recorded_.expected.tensor("prediction"), "prediction");
}

TEST_P(LoraExactness, TwoHalvesMergeToTheWhole) {
  const ScaledLora halves[] = {{&recorded_.weights, 0.25}, {&recorded_.weights, 0.75}};
  const MergedLora merged(recorded_.parts(), halves);
  expect_close(recorded_.prediction(), recorded_.expected.tensor("prediction"), "prediction");
}

TEST_P(LoraExactness, RestoringAMergedLoraGivesTheBaseModelBitForBit) {
  const ScaledLora loras[] = {{.weights = &recorded_.weights}};
  MergedLora merged(recorded_.parts(), loras);
  EXPECT_FALSE(recorded_.prediction().equal(base_));
  merged.restore();
  EXPECT_TRUE(recorded_.prediction().equal(base_));
}

INSTANTIATE_TEST_SUITE_P(Families, LoraExactness, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::lora
