// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
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
  /// What the cross attention makes of the text, or the text's cache holds.
  KeyValues project(const TextContext& context) const;
  /// `text` is what project() gave.
  at::Tensor operator()(const at::Tensor& tokens, const KeyValues& text) const;

 private:
  struct CrossAttention {
    CrossAttention(const nn::Scope& scope, std::int64_t width, std::int64_t context_width);
    nn::Linear q, k, v, out;
    KeyValues project(const at::Tensor& seen) const { return {k(seen), v(seen)}; }
    at::Tensor operator()(const at::Tensor& x, const KeyValues& seen,
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
  /// Of each of its layers. Apart from the rest, so that the rest can be computed again without it.
  std::vector<KeyValues> project(const TextContext& context) const;
  /// `text` is what project() gave; of n · B rows for B of `x_nchw`, see UNet.
  at::Tensor operator()(const at::Tensor& x_nchw, std::span<const KeyValues> text) const;

 private:
  nn::GroupNorm norm_;
  std::optional<nn::Linear> linear_in_, linear_out_;
  std::optional<nn::Conv2d> conv_in_, conv_out_;
  std::vector<TransformerBlock> blocks_;
};

}  // namespace dd::models
