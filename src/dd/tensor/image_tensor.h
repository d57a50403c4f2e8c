// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "dd/image/image.h"

namespace dd {

/// Images of one size as float32 [N, 3, H, W] in 0 … 1. Error(kInternal) when sizes differ.
at::Tensor images_to_tensor(std::span<const Image> images);

/// [N, 3, H, W] in 0 … 1 (clamped) as images; levels are rounded to the nearest, ties to even, as
/// diffusers' numpy conversion does.
std::vector<Image> tensor_to_images(const at::Tensor& batch_nchw);

}  // namespace dd
