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

/// The place of each parameter in a buffer [rows, count]: one behind the other.
std::vector<at::Tensor> places_in(const at::Tensor& buffer,
                                  const FlatParameters::Named& parameters) {
  std::vector<at::Tensor> places;
  std::int64_t offset = 0;
  for (const auto& [name, value] : parameters) {
    const std::int64_t width = value.numel() / buffer.size(0);
    places.push_back(buffer.narrow(1, offset, width).view(value.sizes()));
    offset += width;
  }
  return places;
}

void move_into(const at::Tensor& buffer, FlatParameters::Named& parameters) {
  const std::vector<at::Tensor> places = places_in(buffer, parameters);
  for (std::size_t i = 0; i < places.size(); ++i) {
    at::Tensor& value = parameters[i].second;
    places[i].copy_(value);
    value.set_data(places[i]);
    value.set_requires_grad(true);
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
  move_into(data_.unsqueeze(0), parameters_);
  const std::vector<at::Tensor> gradients = places_in(gradient_.unsqueeze(0), parameters_);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    parameters_[i].second.mutable_grad() = gradients[i];
  }
}

FlatParameters::FlatParameters(at::Tensor data, at::Tensor gradient, std::string layout)
    : data_(std::move(data)), gradient_(std::move(gradient)), layout_(std::move(layout)) {}

StackedParameters::StackedParameters(const FlatParameters::Named& parameters)
    : parameters_(parameters) {
  const at::NoGradGuard no_grad;
  const std::int64_t count = count_of(parameters_);
  const std::int64_t rows = parameters_[0].second.size(0);
  std::string layout;
  for (const auto& [name, value] : parameters_) {
    ensure(value.size(0) == rows, "stacked parameters must have a row for each training");
    layout += cat(name, ' ', value.sizes().slice(1), '\n');
  }
  const at::Tensor data = empty_buffer(parameters_[0].second, {rows, count / rows});
  gradient_ = at::zeros_like(data);
  move_into(data, parameters_);
  for (std::int64_t i = 0; i < rows; ++i) rows_.push_back({data[i], gradient_[i], layout});
}

void StackedParameters::zero_gradient() {
  for (auto& [name, value] : parameters_) value.mutable_grad() = at::Tensor();
}

void StackedParameters::gather_gradient() {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> places = places_in(gradient_, parameters_);
  for (std::size_t i = 0; i < places.size(); ++i) {
    at::Tensor& found = parameters_[i].second.mutable_grad();
    if (found.defined()) {
      places[i].copy_(found);
    } else {
      places[i].zero_();
    }
    found = at::Tensor();
  }
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
