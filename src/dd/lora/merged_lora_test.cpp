// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/merged_lora.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/tensor/device.h"
#include "support/lora_model.h"

namespace dd::lora {
namespace {

using dd::test::kOut;
using dd::test::kQuery;
using dd::test::LoraModel;

class MergedLoraTest : public ::testing::Test {
 protected:
  static LoraWeights weights(std::uint64_t seed) {
    return {{{kOut, seeded_randn({2, 5}, seed), seeded_randn({4, 2}, seed + 1), 0.5},
             {kQuery, seeded_randn({3, 6}, seed + 2), seeded_randn({5, 3}, seed + 3), 0.25}}};
  }
  MergedLora merge(const std::vector<ScaledLora>& loras) { return {std::span(&part_, 1), loras}; }

  LoraModel model_;
  ModelPart part_ = model_.part();
  at::Tensor input_ = seeded_randn({3, 6}, 50);
  at::Tensor base_ = model_(input_);
};

TEST_F(MergedLoraTest, EqualsTheAdapterInTheSlot) {
  LoraSet set(std::span(&part_, 1), attention_targets(), {.rank = 2, .alpha = 3}, 1);
  for (const LoraPair& pair : set.weights().pairs) pair.up.copy_(seeded_randn(pair.up.sizes(), 8));
  const at::Tensor adapted = model_(input_);
  set.remove();
  const ScaledLora lora{&set.weights()};
  const MergedLora merged(std::span(&part_, 1), std::span(&lora, 1));
  EXPECT_TRUE(model_(input_).allclose(adapted, 1e-5, 1e-6));
  EXPECT_FALSE(model_(input_).equal(base_));
}

TEST_F(MergedLoraTest, RestoresBitForBitAgainAndAgain) {
  const LoraWeights a = weights(1);
  const at::Tensor original = model_.site("mid.attn1.to_q").weight;
  const at::Tensor copy = original.clone();
  for (int i = 0; i < 3; ++i) {
    MergedLora merged = merge({{&a, 0.7}});
    EXPECT_FALSE(model_(input_).equal(base_));
    if (i == 0) merged.restore();
  }
  EXPECT_TRUE(model_(input_).equal(base_));
  EXPECT_TRUE(model_.site("mid.attn1.to_q").weight.is_same(original));
  EXPECT_TRUE(original.equal(copy));
}

TEST_F(MergedLoraTest, SeveralAddUpWithTheirScales) {
  const LoraWeights a = weights(1);
  const LoraWeights b = weights(10);
  const auto change = [&](const std::vector<ScaledLora>& loras) {
    const MergedLora merged = merge(loras);
    return model_.site("mid.attn1.to_q").weight.clone();
  };
  const at::Tensor base = model_.site("mid.attn1.to_q").weight.clone();
  const at::Tensor sum = change({{&a, 0.5}}) - base + (change({{&b, -2}}) - base);
  EXPECT_TRUE((change({{&a, 0.5}, {&b, -2}}) - base).allclose(sum, 1e-4, 1e-5));
  EXPECT_TRUE(change({{&a, 0}}).equal(base));
}

TEST_F(MergedLoraTest, RoundsHalfPrecisionOnce) {
  nn::LinearSite& site = model_.site("mid.attn1.to_q");
  site.weight = site.weight.to(at::kBFloat16);
  const at::Tensor half = site.weight;
  const LoraWeights a = weights(1);
  const LoraPair& pair = a.pairs[1];
  MergedLora merged = merge({{&a, 1}});
  EXPECT_EQ(site.weight.scalar_type(), at::kBFloat16);
  const at::Tensor exact = half.to(at::kFloat).add(pair.up.matmul(pair.down), 0.25);
  EXPECT_TRUE(site.weight.equal(exact.to(at::kBFloat16)));
  merged.restore();
  EXPECT_TRUE(site.weight.is_same(half));
}

TEST_F(MergedLoraTest, BecomesPermanentInTheTablesOwnTensors) {
  const LoraWeights a = weights(1);
  const at::Tensor original = model_.site("mid.attn1.to_q").weight;
  at::Tensor value;
  {
    MergedLora merged = merge({{&a, 1}});
    value = model_.site("mid.attn1.to_q").weight.clone();
    merged.make_permanent();
  }
  EXPECT_TRUE(model_.site("mid.attn1.to_q").weight.is_same(original));
  EXPECT_TRUE(original.equal(value));
}

TEST_F(MergedLoraTest, RefusesForeignLayersAndChangesNothing) {
  LoraWeights foreign = weights(1);
  foreign.pairs[1].layer = "unet.elsewhere";
  EXPECT_THROW(merge({{&foreign, 1}}), Error);
  LoraWeights misshapen = weights(1);
  misshapen.pairs[1].down = seeded_randn({3, 7}, 2);
  try {
    merge({{&misshapen, 1}});
    FAIL() << "a misshapen pair was merged";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find(kQuery), std::string::npos) << error.what();
  }
  EXPECT_TRUE(model_(input_).equal(base_));
  const LoraSet set(std::span(&part_, 1), attention_targets(), {.rank = 2}, 1);
  const LoraWeights a = weights(1);
  EXPECT_THROW(merge({{&a, 1}}), Error) << "layers with an adapter in place";
}

}  // namespace
}  // namespace dd::lora
