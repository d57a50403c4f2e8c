// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>

#include <cmath>
#include <optional>

#include "dd/core/error.h"
#include "dd/nn/quick_gelu.h"
#include "dd/nn/resting.h"
#include "dd/nn/winograd.h"

namespace dd::nn {
namespace {

/// LibTorch's float16 convolutions are some 180 times slower than float32 ones on a CPU, its
/// float16 products four times. There, weights are stored in float16 and widened where they are
/// used, which is also more exact.
bool is_slow_half(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf && x.is_cpu();
}

}  // namespace

Linear::Linear(const Scope& scope, std::int64_t in, std::int64_t out, bool bias) {
  at::Tensor weight = scope.parameter("weight", {out, in}, fan_in_init(in));
  at::Tensor offset = bias ? scope.parameter("bias", {out}, fan_in_init(in)) : at::Tensor();
  site_ = scope.site(std::move(weight), std::move(offset));
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  const auto& [weight, bias, adapter] = *site_;
  at::Tensor y;
  if (is_slow_half(x)) {
    y = resting_linear(x.to(at::kFloat), weight, bias).to(at::kHalf);
  } else if (weight.scalar_type() != x.scalar_type()) {
    y = resting_linear(x, weight, bias);
  } else {
    // The bias of a weight that was merged into may still be at rest.
    y = at::linear(x, weight, in_type(x.scalar_type(), bias));
  }
  return adapter ? adapter->forward(x, y) : y;
}

Conv2d::Conv2d(const Scope& scope, const Shape& shape) : shape_(shape) {
  const std::int64_t fan_in = shape.in * shape.kernel * shape.kernel;
  at::Tensor weight = scope.parameter("weight", {shape.out, shape.in, shape.kernel, shape.kernel},
                                      fan_in_init(fan_in));
  at::Tensor offset =
      shape.bias ? scope.parameter("bias", {shape.out}, fan_in_init(fan_in)) : at::Tensor();
  site_ = scope.site(std::move(weight), std::move(offset));
}

at::Tensor Conv2d::operator()(const at::Tensor& x_nchw) const {
  const bool slow = is_slow_half(x_nchw);
  const at::ScalarType dtype = slow ? at::kFloat : x_nchw.scalar_type();
  const at::Tensor weight = in_type(dtype, site_->weight);
  const at::Tensor bias = in_type(dtype, site_->bias);
  if (!slow && shape_.kernel == 3 && shape_.stride == 1 && shape_.padding == 1) {
    const auto tile = winograd_tile(x_nchw, weight, bias);
    if (tile) return winograd_conv2d(x_nchw, weight, bias, *tile);
  }
  const at::Tensor y =
      at::conv2d(in_type(dtype, x_nchw), weight, bias, shape_.stride, shape_.padding);
  return in_type(x_nchw.scalar_type(), y);
}

GroupNorm::GroupNorm(const Scope& scope, std::int64_t groups, std::int64_t channels, double eps)
    : groups_(groups),
      eps_(eps),
      weight_(scope.parameter("weight", {channels}, constant_init(1))),
      bias_(scope.parameter("bias", {channels}, constant_init(0))) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x_nchw) const {
  const at::ScalarType dtype = x_nchw.scalar_type();
  return at::group_norm(x_nchw, groups_, in_type(dtype, weight_), in_type(dtype, bias_), eps_);
}

LayerNorm::LayerNorm(const Scope& scope, std::int64_t width, double eps)
    : eps_(eps),
      weight_(scope.parameter("weight", {width}, constant_init(1))),
      bias_(scope.parameter("bias", {width}, constant_init(0))) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  const at::ScalarType dtype = x.scalar_type();
  return at::layer_norm(x, {weight_.size(0)}, in_type(dtype, weight_), in_type(dtype, bias_), eps_);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionOptions& options, const at::Tensor& seen) {
  const auto split = [&](const at::Tensor& x) {
    const at::Tensor heads = x.view({x.size(0), x.size(1), options.heads, -1}).transpose(1, 2);
    return options.upcast ? heads.to(at::kFloat) : heads;
  };
  const std::optional<at::Tensor> mask = seen.defined() ? std::optional(seen) : std::nullopt;
  const at::Tensor mixed = at::scaled_dot_product_attention(split(q), split(k), split(v), mask, 0.0,
                                                            options.causal && !mask);
  return mixed.to(q.scalar_type()).transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2)});
}

Activation parse_activation(const std::string& name, const std::string& where) {
  if (name == "quick_gelu") return Activation::kQuickGelu;
  if (name == "gelu") return Activation::kGelu;
  if (name == "silu" || name == "swish") return Activation::kSilu;
  fail_input(cat(where, ": the activation \"", name,
                 "\" is not supported; quick_gelu, gelu and silu are"));
}

std::string activation_name(Activation activation) {
  switch (activation) {
    case Activation::kQuickGelu:
      return "quick_gelu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kSilu:
      return "silu";
  }
  fail_internal("unknown activation");
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kQuickGelu:
      return quick_gelu(x);
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kSilu:
      return at::silu(x);
  }
  fail_internal("unknown activation");
}

at::Tensor silu_of(at::Tensor x) {
  return at::GradMode::is_enabled() ? at::silu(x) : at::silu_(x);
}

at::Tensor embed_timesteps(const at::Tensor& timesteps, const TimestepEmbedding& options) {
  const std::int64_t half = options.width / 2;
  const auto numbers = at::TensorOptions().dtype(at::kFloat).device(timesteps.device());
  const at::Tensor exponent =
      at::arange(half, numbers) *
      (-std::log(10000.0) / (static_cast<double>(half) - options.frequency_shift));
  const at::Tensor angle = timesteps.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  return options.flip_sin_to_cos ? at::cat({angle.cos(), angle.sin()}, 1)
                                 : at::cat({angle.sin(), angle.cos()}, 1);
}

}  // namespace dd::nn
