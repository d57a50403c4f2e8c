// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/winograd.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "dd/tensor/device.h"

namespace dd::nn {
namespace {

struct Case {
  std::int64_t batch, in, out, height, width;
};

class Winograd : public testing::TestWithParam<std::tuple<Case, std::int64_t>> {
 protected:
  Case shape() const { return std::get<0>(GetParam()); }
  std::int64_t tile() const { return std::get<1>(GetParam()); }
  at::Tensor x() const {
    return seeded_randn({shape().batch, shape().in, shape().height, shape().width}, 1);
  }
  at::Tensor weight() const { return seeded_randn({shape().out, shape().in, 3, 3}, 2); }
  at::Tensor bias() const { return seeded_randn({shape().out}, 3); }
  /// The largest difference from the exact value, by the largest value.
  void expect_near(const at::Tensor& found, const at::Tensor& exact) const {
    ASSERT_EQ(found.sizes(), exact.sizes());
    const double gap = (found.to(at::kDouble) - exact).abs().max().item<double>();
    EXPECT_LT(gap / exact.abs().max().item<double>(), tile() == 2 ? 2e-6 : 2e-5);
  }
  static at::Tensor wide(const at::Tensor& value) { return value.to(at::kDouble); }
};

TEST_P(Winograd, GivesTheConvolution) {
  const at::Tensor exact = at::conv2d(wide(x()), wide(weight()), wide(bias()), 1, 1);
  expect_near(winograd_conv2d(x(), weight(), bias(), tile()), exact);
  const at::Tensor apart = at::conv2d(wide(x()), wide(weight()), {}, 1, 1);
  expect_near(winograd_conv2d(x(), weight(), {}, tile()), apart);
}

TEST_P(Winograd, GivesTheGradientOfItsInput) {
  const at::Tensor pull =
      seeded_randn({shape().batch, shape().out, shape().height, shape().width}, 4);
  const at::Tensor input = x().set_requires_grad(true);
  const at::Tensor exact_input = wide(x()).set_requires_grad(true);
  torch::autograd::backward({winograd_conv2d(input, weight(), bias(), tile())}, {pull});
  torch::autograd::backward({at::conv2d(exact_input, wide(weight()), wide(bias()), 1, 1)},
                            {wide(pull)});
  expect_near(input.grad(), exact_input.grad());
  const at::Tensor again = x().set_requires_grad(true);
  torch::autograd::backward({winograd_conv2d(again, weight(), {}, tile())}, {pull});
  EXPECT_TRUE(again.grad().equal(input.grad())) << "without a bias";
}

TEST_P(Winograd, TakesTensorsHoweverTheyLie) {
  const at::Tensor turned = x().transpose(2, 3).contiguous().transpose(2, 3);
  EXPECT_TRUE(at::equal(winograd_conv2d(turned, weight(), bias(), tile()),
                        winograd_conv2d(x(), weight(), bias(), tile())));
}

// Sides that tiles do not divide, single rows, more tiles than a block or a chunk holds.
INSTANTIATE_TEST_SUITE_P(
    Shapes, Winograd,
    testing::Combine(testing::Values(Case{2, 3, 5, 8, 8}, Case{1, 4, 2, 7, 9}, Case{3, 2, 3, 1, 5},
                                     Case{1, 1, 1, 6, 1}, Case{1, 2, 2, 5, 531},
                                     Case{2, 70, 66, 13, 16}, Case{5, 40, 50, 66, 70}),
                     testing::Values(2, 4)));

TEST(WinogradTile, IsForFrozenFloatsOfSomeSizeAlone) {
  const at::Tensor x = seeded_randn({2, 320, 64, 64}, 1);
  const at::Tensor weight = seeded_randn({320, 320, 3, 3}, 1);
  EXPECT_EQ(winograd_tile(x, weight, {}), 4);
  EXPECT_FALSE(winograd_tile(x, seeded_randn({320, 320, 1, 1}, 1), {}));
  EXPECT_FALSE(winograd_tile(x.to(at::kBFloat16), weight.to(at::kBFloat16), {}));
  EXPECT_FALSE(winograd_tile(seeded_randn({2, 4, 64, 64}, 1), seeded_randn({320, 4, 3, 3}, 1), {}));
  EXPECT_FALSE(
      winograd_tile(seeded_randn({1, 1280, 8, 8}, 1), seeded_randn({1280, 1280, 3, 3}, 1), {}));
  EXPECT_FALSE(winograd_tile(x, weight.clone().set_requires_grad(true), {}));
}

}  // namespace
}  // namespace dd::nn
