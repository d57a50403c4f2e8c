// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "dd/nn/parameters.h"

namespace dd::nn {

/// y = x Wᵀ + b, with a slot for an adapter.
class Linear {
 public:
  Linear(const Scope& scope, std::int64_t in, std::int64_t out, bool bias = true);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [..., in] → [..., out]

 private:
  std::shared_ptr<LinearSite> site_;
};

/// A square convolution with the same padding on all sides.
class Conv2d {
 public:
  struct Shape {
    std::int64_t in;
    std::int64_t out;
    std::int64_t kernel;
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    bool bias = true;
  };
  Conv2d(const Scope& scope, const Shape& shape);
  at::Tensor operator()(const at::Tensor& x_nchw) const;

 private:
  Shape shape_;
  std::shared_ptr<LinearSite> site_;
};

class GroupNorm {
 public:
  GroupNorm(const Scope& scope, std::int64_t groups, std::int64_t channels, double eps);
  at::Tensor operator()(const at::Tensor& x_nchw) const;

 private:
  std::int64_t groups_;
  double eps_;
  at::Tensor weight_;
  at::Tensor bias_;
};

class LayerNorm {
 public:
  LayerNorm(const Scope& scope, std::int64_t width, double eps = 1e-5);
  at::Tensor operator()(const at::Tensor& x) const;  ///< over the last axis

 private:
  double eps_;
  at::Tensor weight_;
  at::Tensor bias_;
};

/// Multi-head attention on projected q [B, T, H·D], k and v [B, S, H·D]; returns [B, T, H·D].
struct AttentionOptions {
  std::int64_t heads = 1;
  bool causal = false;
  bool upcast = false;  ///< scores in float32 although the inputs are in half precision
};
/// `seen`, where it is defined, takes the place of `causal`: true where a query may see a key,
/// broadcast to [B, H, T, S].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionOptions& options, const at::Tensor& seen = {});

/// The activations that configurations name.
enum class Activation { kQuickGelu, kGelu, kSilu };
/// "quick_gelu", "gelu", "silu" or "swish"; Error(kInput) names `where`.
Activation parse_activation(const std::string& name, const std::string& where);
std::string activation_name(Activation activation);
at::Tensor activate(Activation activation, const at::Tensor& x);
/// SiLU of a value that nobody else holds: takes its place where no graph is recorded. At full
/// resolution each copy that is alive counts.
at::Tensor silu_of(at::Tensor x);

/// Sinusoidal embedding of timesteps [B] as [B, width], float32: cosines first, then sines,
/// frequencies 10000^(−i/(half − shift)) (Ho et al. 2020; diffusers' get_timestep_embedding).
struct TimestepEmbedding {
  std::int64_t width;
  bool flip_sin_to_cos = true;
  double frequency_shift = 0;
};
at::Tensor embed_timesteps(const at::Tensor& timesteps, const TimestepEmbedding& options);

}  // namespace dd::nn
