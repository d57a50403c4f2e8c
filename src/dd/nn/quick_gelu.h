// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace dd::nn {

/// x · σ(1.702 x), the activation of CLIP (Hendrycks, Gimpel 2016; transformers'
/// QuickGELUActivation).
at::Tensor quick_gelu(const at::Tensor& x);

}  // namespace dd::nn
