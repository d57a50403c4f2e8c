// SPDX-License-Identifier: Apache-2.0
#include "dd/train/flat_parameters.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

#include "dd/core/error.h"

namespace dd::train {

namespace {

/// Moves the parameters and their gradients into buffers [rows, count], one behind the other.
void move_into(const at::Tensor& data, const at::Tensor& gradient,
               FlatParameters::Named& parameters) {
  std::int64_t offset = 0;
  for (auto& [name, value] : parameters) {
    const std::int64_t width = value.numel() / data.size(0);
    const at::Tensor view = data.narrow(1, offset, width).view(value.sizes());
    view.copy_(value);
    value.set_data(view);
    value.set_requires_grad(true);
    value.mutable_grad() = gradient.narrow(1, offset, width).view(value.sizes());
    offset += width;
  }
}

std::int64_t count_of(const FlatParameters::Named& parameters) {
  ensure(!parameters.empty(), "nothing to train");
  std::int64_t count = 0;
  for (const auto& [name, value] : parameters) {
    ensure(value.scalar_type() == at::kFloat, "trained parameters must be float32");
    count += value.numel();
  }
  return count;
}

at::Tensor empty_buffer(const at::Tensor& like, at::IntArrayRef shape) {
  return at::empty(shape, like.options().requires_grad(false));
}

}  // namespace

FlatParameters::FlatParameters(const Named& parameters) : parameters_(parameters) {
  const at::NoGradGuard no_grad;
  const std::int64_t count = count_of(parameters_);
  for (const auto& [name, value] : parameters_) layout_ += cat(name, ' ', value.sizes(), '\n');
  data_ = empty_buffer(parameters_[0].second, {count});
  gradient_ = at::zeros_like(data_);
  move_into(data_.unsqueeze(0), gradient_.unsqueeze(0), parameters_);
}

FlatParameters::FlatParameters(at::Tensor data, at::Tensor gradient, std::string layout)
    : data_(std::move(data)), gradient_(std::move(gradient)), layout_(std::move(layout)) {}

StackedParameters::StackedParameters(const FlatParameters::Named& parameters) {
  const at::NoGradGuard no_grad;
  const std::int64_t count = count_of(parameters);
  FlatParameters::Named moved = parameters;
  const std::int64_t rows = moved[0].second.size(0);
  std::string layout;
  for (const auto& [name, value] : moved) {
    ensure(value.size(0) == rows, "stacked parameters must have a row for each training");
    layout += cat(name, ' ', value.sizes().slice(1), '\n');
  }
  const at::Tensor data = empty_buffer(moved[0].second, {rows, count / rows});
  const at::Tensor gradient = at::zeros_like(data);
  move_into(data, gradient, moved);
  for (std::int64_t i = 0; i < rows; ++i) rows_.push_back({data[i], gradient[i], layout});
}

void FlatParameters::zero_gradient() {
  gradient_.zero_();
}

at::Tensor FlatParameters::clip_gradient(double max_norm) {
  const at::Tensor norm = gradient_.norm();
  // As torch.nn.utils.clip_grad_norm_.
  gradient_.mul_(at::clamp((norm + 1e-6).reciprocal() * max_norm, std::nullopt, 1.0));
  return norm;
}

void FlatParameters::freeze() {
  for (auto& [name, value] : parameters_) {
    value.mutable_grad() = at::Tensor();
    value.set_requires_grad(false);
  }
}

}  // namespace dd::train
