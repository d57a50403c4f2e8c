// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "dd/core/json.h"
#include "dd/nn/clip_layers.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// `text_encoder/config.json`, or the `text_config` of a CLIP model.
struct ClipTextConfig {
  std::int64_t vocab_size = 49408;
  std::int64_t positions = 77;
  nn::ClipEncoderConfig encoder{.causal = true};
  std::int64_t projection = 512;
  std::int64_t end_token = 49407;

  static ClipTextConfig from_json(const Json& json, const std::string& where);
  Json to_json() const;
};

/// The place of each row's end token among tokens [B, T], [B]; 0 for a row without one.
/// Configurations that claim end token 2 mean the highest id, as OpenAI's code takes it.
at::Tensor end_positions(const at::Tensor& tokens, std::int64_t end_token);

/// Prompts that a text tower turns into features together.
struct ClipPrompts {
  at::Tensor tokens;  ///< [B, T]
  /// So many tokens at the beginning are those of all rows, end tokens not among them. The tower is
  /// causal: what it makes of them is the same in all rows.
  std::int64_t shared = 0;
};

/// Of tokens on the CPU: cut behind the last end token, with what they have in common.
ClipPrompts clip_prompts(const at::Tensor& tokens, std::int64_t end_token);

/// CLIP's causal text transformer (transformers' CLIPTextModel without its projection).
class ClipText {
 public:
  ClipText(const nn::Scope& scope, const ClipTextConfig& config);

  /// Tokens [B, T] (int64, T ≤ positions) → hidden states [B, T, width] after the final norm:
  /// Stable Diffusion's conditioning.
  at::Tensor operator()(const at::Tensor& tokens) const;

  /// The hidden state at each row's end token, [B, width].
  at::Tensor pool(const at::Tensor& hidden, const at::Tensor& tokens) const;
  /// What pool() gives of all hidden states, computed without those that it does not take.
  at::Tensor pooled(const ClipPrompts& prompts) const;

  const ClipTextConfig& config() const { return config_; }

 private:
  at::Tensor embed(const at::Tensor& tokens, std::int64_t first) const;

  ClipTextConfig config_;
  at::ScalarType dtype_;
  at::Tensor token_embedding_;
  at::Tensor position_embedding_;
  nn::ClipEncoder encoder_;
  nn::LayerNorm final_norm_;
};

/// A text encoder that owns its parameters: the `text_encoder` folder of Stable Diffusion.
/// Parameter names begin with `text_model.`, as transformers 4 and LoRA files have them; files
/// written by transformers 5 lack it and load too.
class TextEncoder {
 public:
  TextEncoder(nn::ParameterSource& source, const ClipTextConfig& config);
  static TextEncoder load(const std::filesystem::path& folder, Placement placement);
  /// Writes config.json and model.safetensors; `dtype` is the precision on disk.
  void save(const std::filesystem::path& folder, at::ScalarType dtype) const;

  at::Tensor operator()(const at::Tensor& tokens) const { return (*text_)(tokens); }
  const ClipTextConfig& config() const { return text_->config(); }
  const nn::ParameterTable& parameters() const { return *table_; }
  /// Gives back the memory of weights at rest (Placement::at_rest) until they are used again.
  void release() const { release_(); }

 private:
  std::unique_ptr<nn::ParameterTable> table_;
  std::unique_ptr<ClipText> text_;
  std::function<void()> release_;
};

}  // namespace dd::models
