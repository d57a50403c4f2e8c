// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/quick_gelu.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sigmoid_backward.h>
#include <torch/csrc/autograd/custom_function.h>

namespace dd::nn {
namespace {

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

constexpr double kSlope = 1.702;

at::Tensor gate_of(const at::Tensor& x) {
  return (x * kSlope).sigmoid_();
}

/// In the order of autograd, which rounds after each operation: another order moves what is trained
/// by more than one would expect of a last bit.
float slope(float pull, float x, float gate) {
  return pull * gate + pull * x * (1 - gate) * gate * static_cast<float>(kSlope);
}

bool is_plain(const at::Tensor& value) {
  return value.is_cpu() && value.scalar_type() == at::kFloat && value.is_contiguous();
}

at::Tensor slopes(const at::Tensor& pull, const at::Tensor& x, const at::Tensor& gate) {
  if (!is_plain(pull) || !is_plain(x) || !is_plain(gate)) {
    return pull * gate + at::sigmoid_backward(pull * x, gate) * kSlope;
  }
  at::Tensor result = at::empty_like(x);
  const float* pulls = pull.const_data_ptr<float>();
  const float* xs = x.const_data_ptr<float>();
  const float* gates = gate.const_data_ptr<float>();
  float* to = result.mutable_data_ptr<float>();
  constexpr std::int64_t kAtOnce = 1 << 15;
  at::parallel_for(0, x.numel(), kAtOnce, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = slope(pulls[i], xs[i], gates[i]);
  });
  return result;
}

struct QuickGelu final : torch::autograd::Function<QuickGelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    const at::Tensor gate = gate_of(x);
    context->save_for_backward({x, gate});
    return x * gate;
  }
  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const Tensors saved = context->get_saved_variables();
    return {slopes(gradients.at(0), saved.at(0), saved.at(1))};
  }
};

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) {
  if (at::GradMode::is_enabled() && x.requires_grad()) return QuickGelu::apply(x);
  return gate_of(x).mul_(x);
}

}  // namespace dd::nn
