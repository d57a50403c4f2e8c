// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace dd::nn {

/// x · σ(1.702 x), the activation of CLIP (Hendrycks, Gimpel 2016; transformers'
/// QuickGELUActivation). Value and gradient are bit for bit those of the formula's parts, but in
/// float32 on a CPU the gradient takes one pass over memory where the parts take five.
at::Tensor quick_gelu(const at::Tensor& x);

}  // namespace dd::nn
