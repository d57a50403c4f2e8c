// SPDX-License-Identifier: Apache-2.0
#include "dd/train/flat_parameters.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include "dd/core/error.h"

namespace dd::train {

FlatParameters::FlatParameters(const Named& parameters) : parameters_(parameters) {
  ensure(!parameters_.empty(), "nothing to train");
  const at::NoGradGuard no_grad;
  std::int64_t count = 0;
  for (const auto& [name, value] : parameters_) {
    ensure(value.scalar_type() == at::kFloat, "trained parameters must be float32");
    count += value.numel();
    layout_ += cat(name, ' ', value.sizes(), '\n');
  }
  data_ = at::empty({count}, parameters_[0].second.options().requires_grad(false));
  gradient_ = at::zeros_like(data_);
  std::int64_t offset = 0;
  for (auto& [name, value] : parameters_) {
    const at::Tensor view = data_.narrow(0, offset, value.numel()).view(value.sizes());
    view.copy_(value);
    value.set_data(view);
    value.set_requires_grad(true);
    value.mutable_grad() = gradient_.narrow(0, offset, value.numel()).view(value.sizes());
    offset += value.numel();
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
