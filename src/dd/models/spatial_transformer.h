// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "dd/models/text_context.h"
#include "dd/nn/layers.h"

namespace dd::models {

/// The transformer between the convolutions of a Stable Diffusion U-Net (diffusers'
/// Transformer2DModel with BasicTransformerBlock): self attention, cross attention on the text,
/// gated MLP.
struct SpatialTransformerShape {
  std::int64_t width;
  std::int64_t heads;
  std::int64_t context_width;
  std::int64_t norm_groups;
  std::int64_t layers = 1;
  bool linear_projection = true;  ///< SD 2; SD 1 projects by 1×1 convolutions
  bool upcast = false;
};

class TransformerBlock {
 public:
  TransformerBlock(const nn::Scope& scope, const SpatialTransformerShape& shape);
  at::Tensor operator()(const at::Tensor& tokens, const TextContext& context) const;

 private:
  struct CrossAttention {
    CrossAttention(const nn::Scope& scope, std::int64_t width, std::int64_t context_width);
    nn::Linear q, k, v, out;
    at::Tensor operator()(const at::Tensor& x, const TextContext& context,
                          const nn::AttentionOptions& options) const;
  };
  nn::AttentionOptions options_;
  nn::LayerNorm norm1_;
  CrossAttention self_;
  nn::LayerNorm norm2_;
  CrossAttention cross_;
  nn::LayerNorm norm3_;
  nn::Linear gate_, down_;
};

class SpatialTransformer {
 public:
  SpatialTransformer(const nn::Scope& scope, const SpatialTransformerShape& shape);
  at::Tensor operator()(const at::Tensor& x_nchw, const TextContext& context) const;

 private:
  nn::GroupNorm norm_;
  std::optional<nn::Linear> linear_in_, linear_out_;
  std::optional<nn::Conv2d> conv_in_, conv_out_;
  std::vector<TransformerBlock> blocks_;
};

}  // namespace dd::models
