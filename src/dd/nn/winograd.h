// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace dd::nn {

/// 3×3 convolutions of stride 1 with a border of one zero, in float32 on a CPU, with a half to a
/// quarter of the multiplications (Winograd's minimal filtering; Lavin, Gray 2016). LibTorch's
/// convolution on a CPU multiplies them all. Results differ from it by rounding, some 1e-6 of the
/// largest for tiles of 2 × 2 and 1e-5 for 4 × 4.

/// The side of the tiles that are fastest for this convolution; none where the common way is, where
/// the weight learns, or where numbers or device are others.
std::optional<std::int64_t> winograd_tile(const at::Tensor& x_nchw, const at::Tensor& weight,
                                          const at::Tensor& bias);

/// x [B, C, H, W], weight [K, C, 3, 3], bias [K] or undefined → [B, K, H, W]. The input's gradient
/// is known; weight and bias have none.
at::Tensor winograd_conv2d(const at::Tensor& x_nchw, const at::Tensor& weight,
                           const at::Tensor& bias, std::int64_t tile);

}  // namespace dd::nn
