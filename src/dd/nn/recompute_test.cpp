// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/recompute.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tanh.h>
#include <gtest/gtest.h>

#include "dd/tensor/device.h"

namespace dd::nn {
namespace {

using WeakTensor = c10::weak_intrusive_ptr<c10::TensorImpl>;

/// Two parts, whose inputs are used three times within them and outside too.
class RecomputeTest : public ::testing::Test {
 protected:
  RecomputeTest() {
    for (at::Tensor* weight : {&first_, &second_}) weight->set_requires_grad(true);
  }

  at::Tensor forward(const at::Tensor& x) {
    const auto part = [this](const at::Tensor& weight) {
      return [this, &weight](const Tensors& in) {
        ++runs_;
        const at::Tensor inner = at::tanh(at::linear(in[2], weight));
        inner_ = WeakTensor(inner.getIntrusivePtr());
        return at::linear(inner, weight) + in[1] * in[3] * 0.3 + in[0];
      };
    };
    const at::Tensor middle = run_part({x, x, x, x * 0.7}, part(first_));
    return (run_part({middle, middle, middle, x}, part(second_)) * middle + x).square().mean();
  }

  struct Outcome {
    at::Tensor loss, x, first, second;
    int runs;
    bool operator==(const Outcome& other) const {
      return loss.equal(other.loss) && x.equal(other.x) && first.equal(other.first) &&
             second.equal(other.second);
    }
  };
  /// Gradients are added to what is there.
  Outcome step(bool recompute, const at::Tensor& x) {
    runs_ = 0;
    at::Tensor loss;
    {
      const RecomputeGuard guard(recompute);
      loss = forward(x);
    }
    loss.backward();
    const at::Tensor gradient = x.grad().defined() ? x.grad().clone() : x * 0;
    return {loss.detach(), gradient, first_.grad().clone(), second_.grad().clone(), runs_};
  }
  void clear() {
    for (at::Tensor* weight : {&first_, &second_}) weight->mutable_grad() = at::Tensor();
  }

  at::Tensor first_ = seeded_randn({9, 9}, 1);
  at::Tensor second_ = seeded_randn({9, 9}, 2);
  WeakTensor inner_ = WeakTensor(c10::intrusive_ptr<c10::TensorImpl>());
  int runs_ = 0;
};

TEST_F(RecomputeTest, GivesTheSameBits) {
  for (const bool input_wants_gradient : {true, false}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      clear();
      const at::Tensor x = seeded_randn({5, 9}, 10 + seed).set_requires_grad(input_wants_gradient);
      const Outcome kept = step(false, x);
      EXPECT_EQ(kept.runs, 2);
      clear();
      x.mutable_grad() = at::Tensor();
      const Outcome recomputed = step(true, x);
      EXPECT_EQ(recomputed.runs, 4);
      EXPECT_TRUE(recomputed == kept) << "seed " << seed;
    }
  }
}

TEST_F(RecomputeTest, AddsToGradientsThatAreThere) {
  const at::Tensor x = seeded_randn({5, 9}, 10).set_requires_grad(true);
  const Outcome once = step(true, x);
  const Outcome twice = step(true, x);
  EXPECT_TRUE(twice.first.equal(once.first * 2));
  EXPECT_TRUE(twice.x.equal(once.x * 2));
}

TEST_F(RecomputeTest, KeepsNothingOfTheForwardPass) {
  const at::Tensor x = seeded_randn({5, 9}, 10);
  const at::Tensor kept = forward(x);
  EXPECT_FALSE(inner_.expired()) << "the graph needs it";
  const RecomputeGuard guard(true);
  const at::Tensor loss = forward(x);
  EXPECT_TRUE(inner_.expired());
  {
    const RecomputeGuard off(false);
    const at::Tensor again = forward(x);
    EXPECT_FALSE(inner_.expired());
  }
  const at::Tensor last = forward(x);
  EXPECT_TRUE(inner_.expired()) << "a guard that has gone leaves things as they were";
}

TEST_F(RecomputeTest, WithoutGradientsRunsOnceAndRecordsNothing) {
  const RecomputeGuard guard(true);
  const at::Tensor x = seeded_randn({5, 9}, 10);
  {
    const at::NoGradGuard no_grad;
    EXPECT_FALSE(forward(x).requires_grad());
    EXPECT_EQ(runs_, 2);
  }
  first_.set_requires_grad(false);
  second_.set_requires_grad(false);
  EXPECT_FALSE(forward(x).requires_grad());
}

}  // namespace
}  // namespace dd::nn
