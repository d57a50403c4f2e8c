// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/models/clip_text.h"

namespace dd::models {

/// The `vision_config` of a CLIP model.
struct ClipVisionConfig {
  std::int64_t image_size = 224;
  std::int64_t patch_size = 32;
  nn::ClipEncoderConfig encoder{.width = 768, .mlp_width = 3072, .layers = 12, .heads = 12};

  static ClipVisionConfig from_json(const Json& json, const std::string& where);
  Json to_json() const;
};

struct ClipConfig {
  ClipTextConfig text;
  ClipVisionConfig vision;
  std::int64_t projection = 512;
  double initial_logit_scale = 2.6592;  ///< ln(1/0.07)

  static ClipConfig from_json(const Json& json, const std::string& where);
  Json to_json() const;
};

/// CLIP's vision transformer with its class token (transformers' CLIPVisionTransformer).
class ClipVision {
 public:
  ClipVision(const nn::Scope& scope, const ClipVisionConfig& config);
  at::Tensor operator()(const at::Tensor& pixels_nchw) const;  ///< normalised pixels → [B, width]

 private:
  at::Tensor class_embedding_;
  nn::Conv2d patches_;
  at::Tensor position_embedding_;
  nn::LayerNorm pre_norm_;
  nn::ClipEncoder encoder_;
  nn::LayerNorm post_norm_;
};

/// CLIP with both towers in transformers' layout (CLIPModel).
class Clip {
 public:
  Clip(nn::ParameterSource& source, const ClipConfig& config);
  /// Any of the forms of clip_file.h.
  static Clip load(const std::filesystem::path& folder, Placement placement);
  void save(const std::filesystem::path& folder, at::ScalarType dtype) const;

  /// Normalised pixels [B, 3, S, S] → projected features as they are [B, projection].
  at::Tensor project_images(const at::Tensor& pixels_nchw) const;
  /// The same at unit length.
  at::Tensor encode_images(const at::Tensor& pixels_nchw) const;
  /// Tokens [B, T] → features of unit length [B, projection]. T may be anything from the longest
  /// row's end token on: the tower is causal, so what follows the end token changes nothing.
  at::Tensor encode_texts(const at::Tensor& tokens) const;
  /// The same, but what the prompts have in common is computed once. Not with dropout, which each
  /// prompt should have of its own.
  at::Tensor encode_texts(const ClipPrompts& prompts) const;
  /// The logarithm of the temperature that cosines are multiplied with.
  const at::Tensor& logit_scale() const { return logit_scale_; }

  const ClipConfig& config() const { return config_; }
  const nn::ParameterTable& parameters() const { return *table_; }

 private:
  ClipConfig config_;
  std::unique_ptr<nn::ParameterTable> table_;
  nn::Scope root(nn::ParameterSource& source) { return {source, *table_}; }
  ClipText text_;
  ClipVision vision_;
  nn::Linear visual_projection_;
  nn::Linear text_projection_;
  at::Tensor logit_scale_;
};

}  // namespace dd::models
