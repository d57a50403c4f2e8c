// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "dd/nn/layers.h"

namespace dd::models {

/// The residual block that the U-Net and the VAE share (diffusers' ResnetBlock2D): norm, SiLU,
/// convolution, the time embedding added, once more, and a 1×1 convolution where the width changes.
class ResnetBlock {
 public:
  struct Shape {
    std::int64_t in;
    std::int64_t out;
    std::int64_t time_width;  ///< 0: without a time embedding
    std::int64_t norm_groups;
    double norm_eps;
  };
  ResnetBlock(const nn::Scope& scope, const Shape& shape);

  /// `time` is [B, time_width], or undefined for a block without one.
  at::Tensor operator()(const at::Tensor& x_nchw, const at::Tensor& time = {}) const {
    return forward(x_nchw, x_nchw, time);
  }
  /// The same with x handed over twice: as what passes by the convolutions, and as what goes
  /// through them (see nn::run_part).
  at::Tensor forward(const at::Tensor& by_nchw, const at::Tensor& through_nchw,
                     const at::Tensor& time) const;

 private:
  nn::GroupNorm norm1_;
  nn::Conv2d conv1_;
  std::optional<nn::Linear> time_;
  nn::GroupNorm norm2_;
  nn::Conv2d conv2_;
  std::optional<nn::Conv2d> shortcut_;
};

}  // namespace dd::models
