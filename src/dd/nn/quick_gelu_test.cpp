// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/quick_gelu.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/sigmoid.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "dd/tensor/device.h"

namespace dd::nn {
namespace {

at::Tensor parts(const at::Tensor& x) {
  return x * at::sigmoid(x * 1.702);
}

at::Tensor gradient(const at::Tensor& y, const at::Tensor& x, const at::Tensor& pull) {
  return torch::autograd::grad({y}, {x}, {pull}).at(0);
}

class QuickGelu : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  /// An odd number of values, as many as take several threads.
  static at::Tensor random(std::uint64_t seed) {
    return (seeded_randn({211, 333}, seed) * 4).to(GetParam());
  }
};

TEST_P(QuickGelu, IsItsPartsBitForBit) {
  const at::Tensor x = random(1);
  EXPECT_TRUE(quick_gelu(x).equal(parts(x)));
  const at::Tensor learning = x.clone().set_requires_grad(true);
  EXPECT_TRUE(quick_gelu(learning).detach().equal(parts(x)));
}

TEST_P(QuickGelu, HasTheGradientOfItsPartsBitForBit) {
  const at::Tensor x = random(1).set_requires_grad(true);
  const at::Tensor pull = random(2);
  const at::Tensor want = gradient(parts(x), x, pull);
  EXPECT_GT(want.abs().max().item<double>(), 1);
  EXPECT_TRUE(gradient(quick_gelu(x), x, pull).equal(want));
  const at::Tensor turned = x.detach().t().set_requires_grad(true);
  EXPECT_TRUE(gradient(quick_gelu(turned), turned, pull.t()).equal(want.t()));
}

INSTANTIATE_TEST_SUITE_P(Types, QuickGelu,
                         ::testing::Values(at::kFloat, at::kDouble, at::kBFloat16),
                         [](const auto& test) { return std::string(toString(test.param)); });

}  // namespace
}  // namespace dd::nn
