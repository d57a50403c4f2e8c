// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_set.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/tensor/device.h"
#include "support/lora_model.h"

namespace dd::lora {
namespace {

using dd::test::kOut;
using dd::test::kQuery;
using dd::test::LoraModel;

class LoraSetTest : public ::testing::Test {
 protected:
  LoraSet make(std::uint64_t seed = 3, double dropout = 0) {
    return {std::span(&part_, 1),
            attention_targets(),
            {.rank = 2, .alpha = 6, .dropout = dropout},
            seed};
  }
  static void fill(const LoraSet& set) {
    for (const LoraPair& pair : set.weights().pairs)
      pair.up.copy_(seeded_randn(pair.up.sizes(), 8));
  }

  LoraModel model_;
  ModelPart part_ = model_.part();
  at::Tensor input_ = seeded_randn({3, 6}, 5);
  at::Tensor base_ = model_(input_);
};

TEST_F(LoraSetTest, AdaptsTheTargetsOnlyAndNamesThemAsFilesDo) {
  const LoraSet set = make();
  std::vector<std::string> names;
  for (const auto& [name, value] : set.parameters()) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{kOut + ".lora_A.weight", kOut + ".lora_B.weight",
                                      kQuery + ".lora_A.weight", kQuery + ".lora_B.weight"}));
  EXPECT_EQ(model_.site("mid.ff").adapter, nullptr);
  EXPECT_EQ(set.count(), 2 * (6 + 5) + 2 * (5 + 4));
}

TEST_F(LoraSetTest, StartsExactlyAtTheBaseWithGaussianDown) {
  const LoraSet set = make();
  EXPECT_TRUE(model_(input_).equal(base_));
  LoraModel wide;
  ModelPart wide_part = wide.part();
  const LoraSet many(std::span(&wide_part, 1), attention_targets(), {.rank = 400, .alpha = 1}, 3);
  EXPECT_NEAR(many.weights().pairs[0].down.std().item<double>(), 1.0 / 400, 0.1 / 400);
  EXPECT_NEAR(many.weights().pairs[0].down.mean().item<double>(), 0, 0.2 / 400);
}

TEST_F(LoraSetTest, AddsScaledProductToTheOutput) {
  const LoraSet set = make();
  fill(set);
  at::Tensor x = input_;
  for (const std::string name : {"mid.attn1.to_q", "mid.ff", "mid.attn1.to_out.0"}) {
    const nn::LinearSite& site = model_.site(name);
    at::Tensor weight = site.weight;
    for (const LoraPair& pair : set.weights().pairs) {
      if (pair.layer == "unet." + name) weight = weight + 3 * at::matmul(pair.up, pair.down);
    }
    x = at::matmul(x, weight.t()) + site.bias;
  }
  EXPECT_TRUE(model_(input_).allclose(x, 1e-5, 1e-6));
}

TEST_F(LoraSetTest, RemovalAndDestructionLeaveTheModelAsItWas) {
  {
    const LoraSet set = make();
    fill(set);
    EXPECT_FALSE(model_(input_).equal(base_));
  }
  EXPECT_TRUE(model_(input_).equal(base_));
  LoraSet set = make();
  fill(set);
  set.remove();
  EXPECT_TRUE(model_(input_).equal(base_));
}

TEST_F(LoraSetTest, ExchangesValuesInPlace) {
  LoraSet set = make(3);
  const at::Tensor held = set.weights().pairs[0].down;
  const at::Tensor first = held.clone();
  set.reset(4);
  EXPECT_FALSE(held.equal(first));
  fill(set);
  set.reset(3);
  EXPECT_TRUE(held.equal(first));
  EXPECT_TRUE(model_(input_).equal(base_));

  LoraModel other;
  ModelPart part = other.part();
  const LoraSet given(std::span(&part, 1), attention_targets(), {.rank = 2, .alpha = 6}, 9);
  fill(given);
  set.assign(given.weights());
  EXPECT_TRUE(model_(input_).equal(other(input_)));
  EXPECT_TRUE(held.equal(given.weights().pairs[0].down));
}

TEST_F(LoraSetTest, RefusesValuesThatDoNotFitWithoutTakingAny) {
  LoraSet set = make();
  const at::Tensor before = set.weights().pairs[0].down.clone();
  LoraModel other;
  ModelPart part = other.part();
  const LoraSet larger(std::span(&part, 1), attention_targets(), {.rank = 3, .alpha = 6}, 9);
  EXPECT_THROW(set.assign(larger.weights()), Error);
  LoraWeights fewer = set.weights();
  fewer.pairs.pop_back();
  EXPECT_THROW(set.assign(fewer), Error);
  LoraWeights unknown = set.weights();
  unknown.pairs[0].layer = "unet.other";
  EXPECT_THROW(set.assign(unknown), Error);
  EXPECT_TRUE(set.weights().pairs[0].down.equal(before));
}

TEST_F(LoraSetTest, DropoutFollowsItsSeedAndKeepsTheMean) {
  LoraSet set = make(3, 0.5);
  fill(set);
  const at::Tensor whole = model_(input_);
  set.seed_dropout(1);
  const at::Tensor first = model_(input_);
  EXPECT_FALSE(first.equal(whole));
  EXPECT_FALSE(model_(input_).equal(first));
  set.seed_dropout(1);
  EXPECT_TRUE(model_(input_).equal(first));
  at::Tensor sum = whole * 0;
  // The layer behind is linear too, so means pass through it.
  for (int i = 0; i < 4000; ++i) sum += model_(input_);
  EXPECT_LT((sum / 4000 - whole).abs().max().item<double>(),
            0.1 * whole.abs().max().item<double>());
  set.stop_dropout();
  EXPECT_TRUE(model_(input_).equal(whole));
}

TEST_F(LoraSetTest, ServesAModelInHalfPrecisionInFloat32) {
  for (const char* name : {"mid.attn1.to_q", "mid.ff", "mid.attn1.to_out.0"}) {
    nn::LinearSite& site = model_.site(name);
    site.weight = site.weight.to(at::kBFloat16);
    site.bias = site.bias.to(at::kBFloat16);
  }
  const LoraSet set = make();
  for (const auto& [name, value] : set.parameters()) {
    EXPECT_EQ(value.scalar_type(), at::kFloat);
    value.set_requires_grad(true);
  }
  const at::Tensor output = model_(input_.to(at::kBFloat16));
  EXPECT_EQ(output.scalar_type(), at::kBFloat16);
  output.sum().backward();
  for (const LoraPair& pair : set.weights().pairs) {
    EXPECT_EQ(pair.up.grad().scalar_type(), at::kFloat);
    EXPECT_GT(pair.up.grad().abs().max().item<double>(), 0);
  }
}

TEST_F(LoraSetTest, RefusesWhatCannotBe) {
  const auto with = [&](const LoraTargets& targets, const LoraOptions& options) {
    return LoraSet(std::span(&part_, 1), targets, options, 1);
  };
  EXPECT_THROW(with({"elsewhere"}, {}), Error);
  EXPECT_THROW(with(attention_targets(), {.rank = 0}), Error);
  EXPECT_THROW(with(attention_targets(), {.dropout = 1}), Error);
  const LoraSet set = make();
  EXPECT_THROW(make(), Error) << "the slots are taken";
  EXPECT_NE(model_.site("mid.attn1.to_q").adapter, nullptr) << "a failed set must not empty slots";
}

TEST(LoraTargetsTest, NamesClipLayersByLetters) {
  EXPECT_EQ(clip_targets("qv", false), (LoraTargets{"self_attn.q_proj", "self_attn.v_proj"}));
  EXPECT_EQ(clip_targets("o", true), (LoraTargets{"self_attn.out_proj", "mlp.fc1", "mlp.fc2"}));
  EXPECT_THROW(clip_targets("qx", false), Error);
  EXPECT_THROW(clip_targets("", false), Error);
}

}  // namespace
}  // namespace dd::lora
