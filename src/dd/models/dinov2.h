// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "dd/core/json.h"
#include "dd/nn/layers.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// config.json of a DINOv2 (Oquab et al. 2023, arXiv 2304.07193), with or without register tokens
/// (Darcet et al. 2023, arXiv 2309.16588), as transformers writes it.
struct Dinov2Config {
  std::int64_t image_size = 224;  ///< that the position embeddings are for
  std::int64_t patch_size = 14;
  std::int64_t width = 768;
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t mlp_ratio = 4;
  bool swiglu = false;
  bool qkv_bias = true;
  bool has_registers = false;  ///< of the kind dinov2_with_registers, even with none of them
  std::int64_t registers = 0;
  nn::Activation activation = nn::Activation::kGelu;
  double norm_eps = 1e-6;

  static Dinov2Config from_json(const Json& json, const std::string& where);  ///< Error(kInput)
};

/// One block: attention and an MLP or a SwiGLU, each scaled channel by channel.
class Dinov2Layer {
 public:
  Dinov2Layer(const nn::Scope& scope, const Dinov2Config& config);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor mlp(const at::Tensor& x) const;

  nn::AttentionOptions attention_;
  nn::Activation activation_;
  nn::LayerNorm norm1_;
  nn::Linear q_, k_, v_, out_;
  at::Tensor scale1_;
  nn::LayerNorm norm2_;
  std::vector<nn::Linear> mlp_;  ///< two layers, or gate, up and down
  at::Tensor scale2_;
};

/// The vision transformer of transformers' Dinov2Model and Dinov2WithRegistersModel.
class Dinov2 {
 public:
  Dinov2(nn::ParameterSource& source, const Dinov2Config& config);
  /// A Hugging Face folder: config.json and its weights, under the names that are published
  /// (`attention.attention.query`, `mlp.weights_in`) or those of transformers 5's classes
  /// (`attention.q_proj`, `mlp.gate_proj`). Error(kInput) names file and key.
  static Dinov2 load(const std::filesystem::path& folder, Placement placement);

  /// Normalised pixels [B, 3, H, W] → the class token after the last norm [B, width]. Other sizes
  /// than `image_size` have their position embeddings resized; sides are cut to whole patches.
  at::Tensor operator()(const at::Tensor& pixels_nchw) const;

  const Dinov2Config& config() const { return config_; }

 private:
  nn::Scope root(nn::ParameterSource& source) { return {source, *table_}; }
  /// Of patches in this many rows and columns [1, rows · columns + 1, width].
  at::Tensor positions(std::int64_t rows, std::int64_t columns) const;

  Dinov2Config config_;
  std::unique_ptr<nn::ParameterTable> table_;
  at::Tensor class_token_;
  at::Tensor position_embeddings_;
  at::Tensor registers_;  ///< undefined without
  nn::Conv2d patches_;
  std::vector<Dinov2Layer> layers_;
  nn::LayerNorm norm_;
};

}  // namespace dd::models
