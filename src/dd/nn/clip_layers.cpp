// SPDX-License-Identifier: Apache-2.0
#include "dd/nn/clip_layers.h"

#include <ATen/TensorOperators.h>

#include "dd/nn/recompute.h"

namespace dd::nn {

ClipLayer::ClipLayer(const Scope& scope, const ClipEncoderConfig& config)
    : activation_(config.activation),
      norm1_(scope["layer_norm1"], config.width, config.norm_eps),
      q_(scope["self_attn"]["q_proj"], config.width, config.width),
      k_(scope["self_attn"]["k_proj"], config.width, config.width),
      v_(scope["self_attn"]["v_proj"], config.width, config.width),
      out_(scope["self_attn"]["out_proj"], config.width, config.width),
      norm2_(scope["layer_norm2"], config.width, config.norm_eps),
      fc1_(scope["mlp"]["fc1"], config.width, config.mlp_width),
      fc2_(scope["mlp"]["fc2"], config.mlp_width, config.width) {}

at::Tensor ClipLayer::operator()(const at::Tensor& x, const TokenFlow& flow) const {
  const auto chosen = [&](const at::Tensor& all) { return flow.choose ? flow.choose(all) : all; };
  const at::Tensor normed = norm1_(x);
  const at::Tensor mixed = flow.attend(q_(chosen(normed)), k_(normed), v_(normed));
  const at::Tensor middle = chosen(x) + out_(mixed);
  return middle + fc2_(activate(activation_, fc1_(norm2_(middle))));
}

ClipEncoder::ClipEncoder(const Scope& scope, const ClipEncoderConfig& config)
    : attention_{.heads = config.heads, .causal = config.causal} {
  for (std::int64_t i = 0; i < config.layers; ++i) layers_.emplace_back(scope["layers"][i], config);
}

TokenFlow ClipEncoder::all_tokens() const {
  // By value: what is computed again on the way back outlives the call that asked for it.
  return {[options = attention_](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return attention(q, k, v, options);
  }};
}

at::Tensor ClipEncoder::operator()(const at::Tensor& x) const {
  return (*this)(x, all_tokens(), all_tokens());
}

at::Tensor ClipEncoder::operator()(at::Tensor x, const TokenFlow& flow,
                                   const TokenFlow& last) const {
  for (const ClipLayer& layer : layers_) {
    // By value, for the same reason.
    x = run_part({x}, [&layer, use = &layer == &layers_.back() ? last : flow](
                          const Tensors& entering) { return layer(entering[0], use); });
  }
  return x;
}

}  // namespace dd::nn
