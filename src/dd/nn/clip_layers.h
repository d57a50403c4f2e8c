// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
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

/// What a layer's attention and its result are about. The rest of a layer treats tokens one by one,
/// so that they may lie in a batch [B, T, width] or in a row [N, width].
struct TokenFlow {
  /// Projected queries of the tokens that are wanted, keys and values of all → what was attended
  /// to.
  std::function<at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)> attend;
  /// The tokens that are wanted, of all; empty = all.
  std::function<at::Tensor(const at::Tensor& x)> choose{};
};

class ClipLayer {
 public:
  ClipLayer(const Scope& scope, const ClipEncoderConfig& config);
  at::Tensor operator()(const at::Tensor& x, const TokenFlow& flow) const;

 private:
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
  at::Tensor operator()(const at::Tensor& x) const;  ///< [B, T, width], before any final norm
  /// Of the last layer's result only what `last` chooses is computed. (A tower's features are those
  /// of one token, and the last layer's others serve nobody.)
  at::Tensor operator()(at::Tensor x, const TokenFlow& flow, const TokenFlow& last) const;

  /// All tokens of a batch, each attending to all that it may see.
  TokenFlow all_tokens() const;
  const AttentionOptions& attention_options() const { return attention_; }

 private:
  AttentionOptions attention_;
  std::vector<ClipLayer> layers_;
};

}  // namespace dd::nn
