// SPDX-License-Identifier: Apache-2.0
// Adapters trained together against the same ones trained one by one, on the miniature models.
#include "dd/adapt/group_task.h"

#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "dd/adapt/adapt_task.h"
#include "dd/core/seeds.h"
#include "dd/lora/lora_group.h"
#include "dd/tensor/device.h"
#include "support/lora_gap.h"
#include "support/oracle.h"

namespace dd::adapt {
namespace {

using test::expect_close;
using test::oracle_path;

constexpr std::int64_t kMembers = 3;
constexpr std::int64_t kRows = 2;
constexpr std::int64_t kSteps = 4;

/// Random latents of one class, whose prompt is of its number.
class RandomBatches final : public BatchSource {
 public:
  explicit RandomBatches(std::int64_t member) : member_(member) {}

  DiffusionBatch batch(std::int64_t step) override {
    const auto draw = [&](std::int64_t kind) {
      return seeded_randn({kRows, 4, 8, 8},
                          static_cast<std::uint64_t>(1 + kind + 2 * (member_ + kMembers * step)));
    };
    const at::Tensor timesteps = draw(0).flatten(1).mean(1).mul(400).add(500).to(at::kLong);
    return {draw(0), draw(1), timesteps.clamp(0, 999), std::vector<std::int64_t>(kRows, member_)};
  }
  std::vector<DiffusionBatch> validation() override {
    return {batch(100), rows_of(batch(101), 0, 1)};
  }

 private:
  std::int64_t member_;
};

struct Variant {
  bool text_encoder = true;
  StepOptions step{};
};

class GroupTaskTest : public ::testing::TestWithParam<const char*> {
 protected:
  struct Trained {
    std::vector<lora::LoraWeights> weights;
    std::vector<train::TrainResult> results;
  };

  std::vector<lora::ModelPart> parts(bool text_encoder) const {
    std::vector<lora::ModelPart> parts{{"unet", &model_.unet.parameters()}};
    if (text_encoder) parts.push_back({"text_encoder", &model_.text_encoder.parameters()});
    return parts;
  }
  Conditioner conditioner(bool text_encoder) const {
    const std::vector<std::string> prompts{"a photo of a bag", "a coat", "one red ankle boot"};
    return {model_.text_encoder, model_.tokenize(prompts), text_encoder};
  }
  static train::EngineOptions engine() {
    train::EngineOptions engine;
    engine.steps = kSteps;
    engine.validate_every = kSteps;
    engine.keep_step_losses = true;
    engine.optimizer.learning_rate = 1e-3;
    engine.optimizer.warmup = 1;
    engine.optimizer.clip = 0.05;  // so low that every step is clipped
    return engine;
  }

  Trained one_by_one(const Variant& variant) {
    Trained trained;
    const Conditioner states = conditioner(variant.text_encoder);
    for (std::int64_t member = 0; member < kMembers; ++member) {
      const lora::LoraSet lora(parts(variant.text_encoder), lora::attention_targets(), options_,
                               static_cast<std::uint64_t>(member));
      train::FlatParameters parameters(lora.parameters());
      RandomBatches batches(member);
      AdaptTask task(model_, states, batches, variant.step);
      trained.results.push_back(run_training(engine(), parameters, task, context_));
      trained.weights.push_back(lora.weights());
    }
    return trained;
  }

  Trained together(const Variant& variant) {
    lora::LoraGroup lora(parts(variant.text_encoder), lora::attention_targets(), options_,
                         kMembers);
    train::StackedParameters parameters(lora.parameters());
    const Conditioner states = conditioner(variant.text_encoder);
    std::vector<RandomBatches> batches;
    std::vector<BatchSource*> sources;
    batches.reserve(kMembers);
    for (std::int64_t member = 0; member < kMembers; ++member) {
      lora.reset(member, static_cast<std::uint64_t>(member));
      sources.push_back(&batches.emplace_back(member));
    }
    GroupTask task(model_, states, sources, variant.step);
    const std::vector<train::EngineOptions> engines(kMembers, engine());
    Trained trained;
    trained.results = run_joint_training("group", engines, parameters, task, context_);
    for (std::int64_t member = 0; member < kMembers; ++member) {
      trained.weights.push_back(lora.weights(member));
    }
    return trained;
  }

  static void expect_same(const std::vector<train::CurvePoint>& actual,
                          const std::vector<train::CurvePoint>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    ASSERT_FALSE(actual.empty());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(actual[i].step, expected[i].step);
      EXPECT_NEAR(actual[i].value, expected[i].value, 1e-4 * expected[i].value);
    }
  }
  static void expect_same(const Trained& actual, const Trained& expected) {
    for (std::size_t member = 0; member < kMembers; ++member) {
      expect_same(actual.results[member].step_losses, expected.results[member].step_losses);
      expect_same(actual.results[member].validation, expected.results[member].validation);
      const auto& pairs = expected.weights[member].pairs;
      ASSERT_EQ(actual.weights[member].pairs.size(), pairs.size());
      double gap = 0;
      double size = 0;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const lora::LoraPair& pair = actual.weights[member].pairs[i];
        EXPECT_EQ(pair.layer, pairs[i].layer);
        EXPECT_TRUE(pairs[i].up.any().item<bool>()) << pair.layer << " was not trained";
        gap += (pair.up - pairs[i].up).abs().sum().item<double>();
        size += pairs[i].up.abs().sum().item<double>();
        expect_close(pair.down, pairs[i].down, pair.layer + ", A", 1e-3);
      }
      EXPECT_LE(gap / size, test::kRoundingGap) << "B of adapter " << member;
      RecordProperty(cat("gap_", member), cat(gap / size));
    }
  }

  /// Sum of differences by sum of sizes.
  static double gap_of(const at::Tensor& actual, const at::Tensor& expected) {
    return ((actual - expected).abs().sum() / expected.abs().sum()).item<double>();
  }

  /// Of one step with values in A and B, [members, count].
  at::Tensor gradient(const Variant& variant) {
    lora::LoraGroup lora(parts(variant.text_encoder), lora::attention_targets(), options_,
                         kMembers);
    std::vector<RandomBatches> batches;
    std::vector<BatchSource*> sources;
    batches.reserve(kMembers);
    for (std::int64_t member = 0; member < kMembers; ++member) {
      fill(lora.weights(member), member);
      sources.push_back(&batches.emplace_back(member));
    }
    train::StackedParameters parameters(lora.parameters());
    const Conditioner states = conditioner(variant.text_encoder);
    GroupTask task(model_, states, sources, variant.step);
    for (std::int64_t part = 0; part < task.parts(); ++part) {
      task.part_of_losses(1, part).sum().backward();
    }
    parameters.gather_gradient();
    std::vector<at::Tensor> rows;
    for (std::int64_t i = 0; i < kMembers; ++i) rows.push_back(parameters.row(i).gradient());
    return at::stack(rows);
  }
  at::Tensor gradient_alone(std::int64_t member, const Variant& variant) {
    const lora::LoraSet lora(parts(variant.text_encoder), lora::attention_targets(), options_, 0);
    fill(lora.weights(), member);
    train::FlatParameters parameters(lora.parameters());
    const Conditioner states = conditioner(variant.text_encoder);
    RandomBatches batches(member);
    AdaptTask task(model_, states, batches, variant.step);
    for (std::int64_t part = 0; part < task.parts(); ++part) {
      task.part_of_loss(1, part).backward();
    }
    return parameters.gradient().clone();
  }
  static void fill(const lora::LoraWeights& weights, std::int64_t member) {
    for (const lora::LoraPair& pair : weights.pairs) {
      const auto seed = static_cast<std::uint64_t>(member);
      pair.down.copy_(seeded_randn(pair.down.sizes(), mix_seed(seed, pair.layer + "A")) * 0.2);
      pair.up.copy_(seeded_randn(pair.up.sizes(), mix_seed(seed, pair.layer + "B")) * 0.1);
    }
  }

  const lora::LoraOptions options_{.rank = 4, .alpha = 8};
  models::StableDiffusion model_ =
      models::StableDiffusion::load(oracle_path("models") / GetParam(), {});
  NullReporter reporter_;
  CancelToken cancel_;
  Context context_{reporter_, cancel_};
};

TEST_P(GroupTaskTest, ThreeTogetherEqualThreeOneByOne) {
  const Trained alone = one_by_one({});
  expect_same(together({}), alone);
  for (std::size_t i = 0; i < alone.weights[0].pairs.size(); ++i) {
    EXPECT_FALSE(alone.weights[0].pairs[i].up.equal(alone.weights[1].pairs[i].up));
  }
}

TEST_P(GroupTaskTest, SoTheyDoInPartsRecomputedAndWithoutTheTextEncoder) {
  const Variant variant{.text_encoder = false, .step = {.parts = 2, .recompute = true}};
  expect_same(together(variant), one_by_one({.text_encoder = false}));
}

TEST_P(GroupTaskTest, GradientsAreThoseOfEachAlone) {
  for (const Variant& variant : {Variant{}, Variant{.text_encoder = false, .step = {.parts = 2}}}) {
    const at::Tensor group = gradient(variant);
    for (std::int64_t member = 0; member < kMembers; ++member) {
      const at::Tensor alone = gradient_alone(member, variant);
      // Most are near 1e-6. Where terms cancel, batches of one row each are as far from those of
      // two.
      EXPECT_LE(gap_of(group[member], alone), 1e-4) << "adapter " << member;
    }
  }
}

TEST_P(GroupTaskTest, RecomputingGivesTheSameBits) {
  for (const bool text_encoder : {true, false}) {
    const Variant kept{.text_encoder = text_encoder};
    const Variant recomputed{.text_encoder = text_encoder, .step = {.recompute = true}};
    EXPECT_TRUE(gradient_alone(0, recomputed).equal(gradient_alone(0, kept))) << text_encoder;
    EXPECT_TRUE(gradient(recomputed).equal(gradient(kept))) << text_encoder;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GroupTaskTest, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::adapt
