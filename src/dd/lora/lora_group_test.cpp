// SPDX-License-Identifier: Apache-2.0
#include "dd/lora/lora_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/tensor/device.h"
#include "support/lora_model.h"
#include "support/oracle.h"

namespace dd::lora {
namespace {

using dd::test::LoraModel;

class LoraGroupTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kMembers = 3;

  static std::uint64_t seed_of(std::int64_t member) {
    return 40 + static_cast<std::uint64_t>(member);
  }
  static at::Tensor up_of(const LoraPair& pair, std::int64_t member) {
    return seeded_randn(pair.up.sizes(), seed_of(member) + pair.layer.size());
  }
  /// Rows of each member, in two more dimensions, as tokens have them.
  static at::Tensor input_of(std::int64_t member) {
    return seeded_randn({2, 7, 6}, 70 + static_cast<std::uint64_t>(member));
  }

  const LoraOptions options_{.rank = 2, .alpha = 6};
  LoraModel model_;
  ModelPart part_ = model_.part();
};

TEST_F(LoraGroupTest, GivesEachMembersRowsWhatItsLoraAloneGives) {
  std::vector<at::Tensor> outputs;
  std::vector<std::vector<at::Tensor>> gradients;
  std::vector<at::Tensor> inputs;
  for (std::int64_t member = 0; member < kMembers; ++member) {
    const LoraSet alone(std::span(&part_, 1), attention_targets(), options_, seed_of(member));
    for (const LoraPair& pair : alone.weights().pairs) pair.up.copy_(up_of(pair, member));
    for (const auto& [name, value] : alone.parameters()) value.set_requires_grad(true);
    inputs.push_back(input_of(member));
    outputs.push_back(model_(inputs.back()));
    outputs.back().square().sum().backward();
    gradients.emplace_back();
    for (const auto& [name, value] : alone.parameters()) gradients.back().push_back(value.grad());
  }

  LoraGroup group(std::span(&part_, 1), attention_targets(), options_, kMembers);
  for (std::int64_t member = 0; member < kMembers; ++member) {
    group.reset(member, seed_of(member));
    for (const LoraPair& pair : group.weights(member).pairs) pair.up.copy_(up_of(pair, member));
  }
  for (const auto& [name, value] : group.parameters()) value.set_requires_grad(true);
  const at::Tensor output = model_(at::cat(inputs));
  test::expect_close(output, at::cat(outputs), "output", 1e-6);
  output.square().sum().backward();
  const auto learned = group.parameters();
  for (std::int64_t member = 0; member < kMembers; ++member) {
    for (std::size_t i = 0; i < learned.size(); ++i) {
      const auto& [name, value] = learned[i];
      test::expect_close(value.grad()[member], gradients[static_cast<std::size_t>(member)][i], name,
                         1e-6);
    }
  }
}

TEST_F(LoraGroupTest, AMemberStartsAsALoraOfItsOwn) {
  LoraGroup group(std::span(&part_, 1), attention_targets(), options_, kMembers);
  group.reset(1, 5);
  LoraModel other;
  const ModelPart other_part = other.part();
  const LoraSet alone(std::span(&other_part, 1), attention_targets(), options_, 5);
  EXPECT_EQ(group.count(), alone.count());
  const LoraWeights member = group.weights(1);
  ASSERT_EQ(member.pairs.size(), alone.weights().pairs.size());
  for (std::size_t i = 0; i < member.pairs.size(); ++i) {
    const LoraPair& want = alone.weights().pairs[i];
    EXPECT_EQ(member.pairs[i].layer, want.layer);
    EXPECT_EQ(member.pairs[i].scale, want.scale);
    EXPECT_TRUE(member.pairs[i].down.equal(want.down));
    EXPECT_TRUE(member.pairs[i].up.equal(want.up));
    EXPECT_FALSE(group.weights(0).pairs[i].down.any().item<bool>()) << "another member changed";
  }
}

TEST_F(LoraGroupTest, EmptiesTheSlotsAndRefusesRowsThatDoNotDivide) {
  const at::Tensor input = seeded_randn({4, 6}, 5);
  const at::Tensor base = model_(input);
  {
    const LoraGroup group(std::span(&part_, 1), attention_targets(), options_, kMembers);
    EXPECT_THROW(model_(input), Error);
    EXPECT_THROW(LoraSet(std::span(&part_, 1), attention_targets(), options_, 1), Error);
  }
  EXPECT_TRUE(model_(input).equal(base));
  EXPECT_THROW(LoraGroup(std::span(&part_, 1), {"nowhere"}, options_, kMembers), Error);
}

}  // namespace
}  // namespace dd::lora
