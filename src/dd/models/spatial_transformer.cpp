// SPDX-License-Identifier: Apache-2.0
#include "dd/models/spatial_transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>

namespace dd::models {
namespace {

// The gated MLP widens by four (GEGLU, Shazeer 2020: twice that, one half gates the other).
constexpr std::int64_t kWiden = 4;

}  // namespace

TransformerBlock::CrossAttention::CrossAttention(const nn::Scope& scope, std::int64_t width,
                                                 std::int64_t context_width)
    : q(scope["to_q"], width, width, false),
      k(scope["to_k"], context_width, width, false),
      v(scope["to_v"], context_width, width, false),
      out(scope["to_out"][0], width, width) {}

at::Tensor TransformerBlock::CrossAttention::operator()(const at::Tensor& x, const KeyValues& seen,
                                                        const nn::AttentionOptions& options) const {
  return out(nn::attention(q(x), seen.keys, seen.values, options));
}

TransformerBlock::TransformerBlock(const nn::Scope& scope, const SpatialTransformerShape& shape)
    : options_{.heads = shape.heads, .upcast = shape.upcast},
      norm1_(scope["norm1"], shape.width),
      self_(scope["attn1"], shape.width, shape.width),
      norm2_(scope["norm2"], shape.width),
      cross_(scope["attn2"], shape.width, shape.context_width),
      norm3_(scope["norm3"], shape.width),
      gate_(scope["ff"]["net"][0]["proj"], shape.width, 2 * kWiden * shape.width),
      down_(scope["ff"]["net"][2], kWiden * shape.width, shape.width) {}

KeyValues TransformerBlock::project(const TextContext& context) const {
  const auto make = [&] { return cross_.project(context.states); };
  return context.cache ? context.cache->get(&cross_, make) : make();
}

at::Tensor TransformerBlock::operator()(const at::Tensor& tokens, const KeyValues& text) const {
  const at::Tensor normed = norm1_(tokens);
  at::Tensor x = tokens + self_(normed, self_.project(normed), options_);
  x = for_texts(x, text.keys.size(0));
  x = x + cross_(norm2_(x), text, options_);
  const std::vector<at::Tensor> halves = gate_(norm3_(x)).chunk(2, -1);
  return x + down_(halves[0] * at::gelu(halves[1]));
}

SpatialTransformer::SpatialTransformer(const nn::Scope& scope, const SpatialTransformerShape& shape)
    : norm_(scope["norm"], shape.norm_groups, shape.width, 1e-6) {
  const nn::Conv2d::Shape point{.in = shape.width, .out = shape.width, .kernel = 1};
  if (shape.linear_projection) {
    linear_in_.emplace(scope["proj_in"], shape.width, shape.width);
  } else {
    conv_in_.emplace(scope["proj_in"], point);
  }
  for (std::int64_t i = 0; i < shape.layers; ++i)
    blocks_.emplace_back(scope["transformer_blocks"][i], shape);
  if (shape.linear_projection) {
    linear_out_.emplace(scope["proj_out"], shape.width, shape.width);
  } else {
    conv_out_.emplace(scope["proj_out"], point);
  }
}

std::vector<KeyValues> SpatialTransformer::project(const TextContext& context) const {
  std::vector<KeyValues> text;
  for (const TransformerBlock& block : blocks_) text.push_back(block.project(context));
  return text;
}

at::Tensor SpatialTransformer::operator()(const at::Tensor& x_nchw,
                                          std::span<const KeyValues> text) const {
  const auto to_tokens = [](const at::Tensor& x) { return x.flatten(2).transpose(1, 2); };
  const auto to_image = [&](const at::Tensor& t) {
    return t.transpose(1, 2).reshape({-1, x_nchw.size(1), x_nchw.size(2), x_nchw.size(3)});
  };
  const at::Tensor normed = norm_(x_nchw);
  at::Tensor tokens =
      linear_in_ ? (*linear_in_)(to_tokens(normed)) : to_tokens((*conv_in_)(normed));
  for (std::size_t i = 0; i < blocks_.size(); ++i) tokens = blocks_[i](tokens, text[i]);
  return for_texts(x_nchw, tokens.size(0)) +
         (linear_out_ ? to_image((*linear_out_)(tokens)) : (*conv_out_)(to_image(tokens)));
}

}  // namespace dd::models
