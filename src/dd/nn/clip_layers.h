// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dd/nn/layers.h"

namespace dd::nn {

/// The transformer that both CLIP towers and Stable Diffusion's text encoder share (Radford et al.
/// 2021; transformers' CLIPEncoder): pre-norm residual blocks of attention and a two-layer MLP.
struct ClipEncoderConfig {
  std::int64_t width = 512;
  std::int64_t mlp_width = 2048;
  std::int64_t layers = 12;
  std::int64_t heads = 8;
  Activation activation = Activation::kQuickGelu;
  double norm_eps = 1e-5;
  bool causal = false;
};

class ClipLayer {
 public:
  ClipLayer(const Scope& scope, const ClipEncoderConfig& config);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  AttentionOptions attention_;
  Activation activation_;
  LayerNorm norm1_;
  Linear q_, k_, v_, out_;
  LayerNorm norm2_;
  Linear fc1_, fc2_;
};

class ClipEncoder {
 public:
  /// `scope` is the place that holds `layers.N`.
  ClipEncoder(const Scope& scope, const ClipEncoderConfig& config);
  at::Tensor operator()(at::Tensor x) const;  ///< [B, T, width] → the same, before any final norm

 private:
  std::vector<ClipLayer> layers_;
};

}  // namespace dd::nn
