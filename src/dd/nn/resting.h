// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace dd::nn {

/// A parameter, which may be at rest (Placement::at_rest), in the type that it is needed in.
/// Undefined ones stay so.
at::Tensor in_type(at::ScalarType dtype, const at::Tensor& parameter);

/// y = x Wᵀ + b with a weight [out, in] at rest. The way back widens the weight again, where
/// autograd would keep the wide one until then. Weight and bias learn nothing.
at::Tensor resting_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The parameters of a layer that learns nothing, for functions of autograd's: of arguments that
/// are tensors it takes none that is undefined, which a bias may be.
struct Still {
  at::Tensor weight;
  at::Tensor bias;
};

}  // namespace dd::nn
