// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/resting.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <torch/csrc/autograd/custom_function.h>

namespace dd::nn {
namespace {

using torch::autograd::AutogradContext;
using Tensors = torch::autograd::variable_list;

at::Tensor widened_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::ScalarType dtype = x.scalar_type();
  return at::linear(x, in_type(dtype, weight), in_type(dtype, bias));
}

struct RestingLinear final : torch::autograd::Function<RestingLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const Still& layer) {
    context->save_for_backward({layer.weight});
    return widened_linear(x, layer.weight, layer.bias);
  }
  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const at::Tensor weight = context->get_saved_variables().at(0);
    const at::Tensor& of_y = gradients.at(0);
    return {at::matmul(of_y, in_type(of_y.scalar_type(), weight)), {}};
  }
};

}  // namespace

at::Tensor in_type(at::ScalarType dtype, const at::Tensor& parameter) {
  if (!parameter.defined() || parameter.scalar_type() == dtype) return parameter;
  return parameter.to(dtype);
}

at::Tensor resting_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (at::GradMode::is_enabled() && x.requires_grad())
    return RestingLinear::apply(x, Still{weight, bias});
  return widened_linear(x, weight, bias);
}

}  // namespace dd::nn
