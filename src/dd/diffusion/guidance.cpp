// SPDX-License-Identifier: Apache-2.0
#include "dd/diffusion/guidance.h"

#include <ATen/TensorOperators.h>

#include "dd/core/error.h"

namespace dd {

at::Tensor guide(const at::Tensor& unconditional, const at::Tensor& conditional, double scale) {
  return unconditional + (conditional - unconditional) * scale;
}

at::Tensor guide_stacked(const at::Tensor& both, double scale) {
  ensure(both.dim() > 0 && both.size(0) % 2 == 0,
         "guidance needs as many rows without as with the prompt");
  const auto halves = both.chunk(2, 0);
  return guide(halves[0], halves[1], scale);
}

}  // namespace dd
