// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/resting.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "dd/nn/layers.h"
#include "dd/tensor/device.h"

namespace dd::nn {
namespace {

/// Numbers that follow from their name, narrow ones where it rests.
class Source final : public ParameterSource {
 public:
  explicit Source(bool rests) : rests_(rests) {}
  at::Tensor parameter(const std::string& name, at::IntArrayRef shape, const Init& init) override {
    const at::Tensor narrow = numbers_.parameter(name, shape, init).to(at::kHalf);
    return rests_ ? narrow : narrow.to(at::kFloat);
  }

 private:
  RandomSource numbers_{3};
  bool rests_;
};

/// All kinds of layers one behind the other.
at::Tensor through_layers(const at::Tensor& x, bool rests) {
  Source source(rests);
  ParameterTable table;
  const Scope scope(source, table);
  const Conv2d wide(scope["wide"], {.in = 4, .out = 8, .kernel = 3, .padding = 1});
  const GroupNorm group(scope["group"], 2, 8, 1e-5);
  const Linear linear(scope["linear"], 6, 12);
  const LayerNorm norm(scope["norm"], 12);
  return norm(linear(group(wide(x))));
}

TEST(Resting, LayersGiveTheSameBitForBit) {
  const at::Tensor x = seeded_randn({2, 4, 5, 6}, 1);
  EXPECT_EQ(through_layers(x, true).scalar_type(), at::kFloat);
  EXPECT_TRUE(through_layers(x, true).equal(through_layers(x, false)));
}

TEST(Resting, GradientsAreTheSameBitForBit) {
  const at::Tensor pull = seeded_randn({2, 8, 5, 12}, 2);
  const auto gradient = [&](bool rests) {
    const at::Tensor x = seeded_randn({2, 4, 5, 6}, 1).set_requires_grad(true);
    return torch::autograd::grad({through_layers(x, rests)}, {x}, {pull}).at(0);
  };
  EXPECT_TRUE(gradient(true).equal(gradient(false)));
}

TEST(Resting, TheGraphOfALinearLayerKeepsTheNarrowWeightAlone) {
  const at::Tensor weight = seeded_randn({12, 6}, 1).to(at::kHalf);
  const at::Tensor x = seeded_randn({3, 6}, 2).set_requires_grad(true);
  const at::Tensor y = resting_linear(x, weight, {});
  EXPECT_EQ(weight.use_count(), 2) << "the graph holds the weight itself";
  EXPECT_TRUE(y.detach().equal(at::linear(x.detach(), weight.to(at::kFloat))));
}

}  // namespace
}  // namespace dd::nn
