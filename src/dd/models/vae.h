// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "dd/core/json.h"
#include "dd/nn/layers.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// `vae/config.json` of diffusers' AutoencoderKL.
struct VaeConfig {
  std::int64_t image_channels = 3;
  std::int64_t latent_channels = 4;
  std::vector<std::int64_t> widths{128, 256, 512, 512};
  std::int64_t layers_per_block = 2;
  std::int64_t norm_groups = 32;
  std::int64_t sample_size = 512;
  double scaling_factor = 0.18215;

  /// Pixels a latent cell spans: 8 in Stable Diffusion.
  std::int64_t factor() const { return std::int64_t{1} << (widths.size() - 1); }
  static VaeConfig from_json(const Json& json, const std::string& where);
  Json to_json() const;
};

/// Mean and log-variance of the latents, each [B, C, H/f, W/f], not yet scaled.
struct Posterior {
  at::Tensor mean;
  at::Tensor log_variance;  ///< clamped to −30 … 20 as the reference does

  /// mean + deviation × noise.
  at::Tensor sample(const at::Tensor& noise) const;
};

class VaeEncoder;
class VaeDecoder;

/// Where the autoencoder of a model that computes at `placement` does: in float32 for float16. The
/// decoder's activations leave float16's range in published models (black pictures); float32 costs
/// a fifteenth of the weights and one pass an image.
Placement vae_placement(Placement placement);

/// The autoencoder of latent diffusion (Rombach et al. 2022; diffusers' AutoencoderKL).
class Vae {
 public:
  Vae(nn::ParameterSource& source, const VaeConfig& config);
  ~Vae();
  Vae(Vae&&) noexcept;
  Vae& operator=(Vae&&) noexcept;
  /// A diffusers folder; reads the attention names of old and new files.
  static Vae load(const std::filesystem::path& folder, Placement placement);
  void save(const std::filesystem::path& folder, at::ScalarType dtype) const;

  /// Pixels in −1 … 1, in any precision; computed and returned in that of the weights.
  Posterior encode(const at::Tensor& pixels_nchw) const;
  /// Unscaled latents → pixels in about −1 … 1; the same holds for the precision.
  at::Tensor decode(const at::Tensor& latents_nchw) const;

  const VaeConfig& config() const { return config_; }
  /// Known once training has measured the latents.
  void set_scaling_factor(double factor) { config_.scaling_factor = factor; }
  const nn::ParameterTable& parameters() const { return *table_; }
  at::ScalarType dtype() const { return dtype_; }

 private:
  VaeConfig config_;
  at::ScalarType dtype_;
  std::unique_ptr<nn::ParameterTable> table_;
  std::unique_ptr<VaeEncoder> encoder_;
  std::unique_ptr<VaeDecoder> decoder_;
  std::unique_ptr<nn::Conv2d> quantise_;
  std::unique_ptr<nn::Conv2d> unquantise_;
  std::function<void()> release_;
};

}  // namespace dd::models
