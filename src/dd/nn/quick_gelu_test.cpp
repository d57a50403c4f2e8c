// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/quick_gelu.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/sigmoid.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "dd/tensor/device.h"

namespace dd::nn {
namespace {

at::Tensor plain(const at::Tensor& x) {
  return x * at::sigmoid(x * 1.702);
}

double gap(const at::Tensor& one, const at::Tensor& other) {
  return (one.to(at::kDouble) - other.to(at::kDouble)).abs().max().item<double>();
}

TEST(QuickGelu, GivesItsFormulaWithAndWithoutAGraph) {
  const at::Tensor x = seeded_randn({7, 33}, 1) * 5;
  const at::Tensor exact = plain(x.to(at::kDouble));
  EXPECT_LT(gap(quick_gelu(x), exact), 3e-6);
  EXPECT_TRUE(quick_gelu(x.clone().set_requires_grad(true)).detach().equal(quick_gelu(x)));
}

TEST(QuickGelu, GivesTheFormulasGradient) {
  const at::Tensor pull = seeded_randn({7, 33}, 2);
  const at::Tensor x = (seeded_randn({7, 33}, 1) * 5).set_requires_grad(true);
  const at::Tensor wide = x.detach().to(at::kDouble).set_requires_grad(true);
  torch::autograd::backward({quick_gelu(x)}, {pull});
  torch::autograd::backward({plain(wide)}, {pull.to(at::kDouble)});
  EXPECT_LT(gap(x.grad(), wide.grad()), 5e-6);
}

}  // namespace
}  // namespace dd::nn
