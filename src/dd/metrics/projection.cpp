// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/projection.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "dd/core/error.h"

namespace dd {

PrincipalAxes::PrincipalAxes(const at::Tensor& rows, std::int64_t count) {
  ensure(rows.dim() == 2 && rows.size(0) > 0 && count > 0, "principal axes need rows and a count");
  const at::Tensor values = rows.to(at::kDouble);
  mean_ = values.mean(0);
  const auto [left, scale, right] = at::linalg_svd(values - mean_, /*full_matrices=*/false);
  axes_ = at::zeros({count, rows.size(1)}, values.options());
  shares_ = at::zeros({count}, values.options());
  const double total = scale.square().sum().item<double>();
  const double largest = scale.max().item<double>();
  // As LAPACK's users tell rank: what is left of rounding is no direction.
  const double least = largest * std::numeric_limits<double>::epsilon() *
                       static_cast<double>(std::max(rows.size(0), rows.size(1)));
  for (std::int64_t i = 0; i < std::min(count, scale.size(0)); ++i) {
    const auto length = scale[i].item<double>();
    if (!(length > least)) break;
    const at::Tensor axis = right[i];
    const at::Tensor peak = axis[axis.abs().argmax()];
    axes_[i].copy_(peak.item<double>() < 0 ? -axis : axis);
    shares_[i].fill_(length * length / total);
  }
}

at::Tensor PrincipalAxes::places(const at::Tensor& rows) const {
  return at::matmul(rows.to(at::kDouble) - mean_, axes_.t());
}

}  // namespace dd
