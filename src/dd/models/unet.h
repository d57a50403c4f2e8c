// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "dd/core/json.h"
#include "dd/models/text_context.h"
#include "dd/nn/layers.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// `unet/config.json` of diffusers' UNet2DConditionModel, as far as Stable Diffusion 1 and 2 use
/// it.
struct UNetConfig {
  std::int64_t in_channels = 4;
  std::int64_t out_channels = 4;
  std::int64_t sample_size = 64;  ///< latent cells a side that the model was trained on
  std::vector<std::int64_t> widths{320, 640, 1280, 1280};
  std::vector<bool> attention{true, true, true, false};  ///< does the level attend to the text?
  std::vector<std::int64_t> heads{8, 8, 8,
                                  8};  ///< a level; the key `attention_head_dim` holds them
  std::int64_t layers_per_block = 2;
  std::int64_t transformer_layers = 1;
  std::int64_t context_width = 768;
  std::int64_t norm_groups = 32;
  double norm_eps = 1e-5;
  bool linear_projection = false;
  bool upcast_attention = false;
  bool flip_sin_to_cos = true;
  double frequency_shift = 0;
  std::string written_by;  ///< the diffusers version in the file, empty if none

  static UNetConfig from_json(const Json& json, const std::string& where);
  Json to_json() const;
};

/// Where the denoiser is put: its weights are used too often to be at rest.
Placement unet_placement(Placement placement);

class UNetParts;

/// What the levels below full resolution made of the last step. Neighbouring steps differ little
/// there, so sampling may take it again (DeepCache, arXiv 2312.00858).
struct DeepFeatures {
  at::Tensor features;  ///< [B, C, H, W] as the topmost level on the way up sees it; set by a call
  bool reuse = false;   ///< take the features, where there are some, in place of computing them
};

/// The denoiser of Stable Diffusion.
class UNet {
 public:
  UNet(nn::ParameterSource& source, const UNetConfig& config);
  ~UNet();
  UNet(UNet&&) noexcept;
  UNet& operator=(UNet&&) noexcept;
  static UNet load(const std::filesystem::path& folder, Placement placement);
  void save(const std::filesystem::path& folder, at::ScalarType dtype) const;

  /// Noisy latents [B, C, H, W], timesteps [B] or [1] (any number type), context
  /// [B, T, context_width] → the prediction, shaped like the latents. `deep` of the same batch,
  /// where it is given, is filled or used.
  ///
  /// With a context of n · B rows, and timesteps [1], latents i are seen with the texts i, B + i,
  /// …, and the prediction has n · B rows: as of n copies of the latents, but what comes before the
  /// first attention to the text is computed once.
  at::Tensor operator()(const at::Tensor& latents_nchw, const at::Tensor& timesteps,
                        const TextContext& context, DeepFeatures* deep = nullptr) const;

  const UNetConfig& config() const { return config_; }
  const nn::ParameterTable& parameters() const { return *table_; }

 private:
  UNetConfig config_;
  std::unique_ptr<nn::ParameterTable> table_;
  std::unique_ptr<UNetParts> parts_;
};

}  // namespace dd::models
