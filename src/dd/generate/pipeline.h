// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dd/generate/sampling.h"
#include "dd/models/stable_diffusion.h"

namespace dd::generate {

/// Draws images as diffusers' StableDiffusionPipeline does: the same seed gives the same image,
/// whatever else is in its batch. The model must outlive the object and may change its weights
/// (LoRA) between calls. Not thread-safe.
class TextToImage {
 public:
  /// Error(kUsage) for sizes that the model cannot draw or that cannot be shrunk so, and as
  /// make_sampler() says; Error(kInput) for a U-Net that draws something else than latents of this
  /// VAE.
  TextToImage(const models::StableDiffusion& model, const SamplingOptions& options);

  /// The sampler, size and noise levels in use, where the options left them open.
  const SamplingOptions& options() const noexcept { return options_; }
  /// U-Net evaluations for one batch; twice the work where guidance is active.
  std::int64_t evaluations() const { return std::ssize(evaluations_); }
  /// Images for one call of images(), by their size and the memory that is free now.
  std::int64_t automatic_batch() const;
  /// Of an image that is given back: the drawn one's, shrunk.
  std::int64_t image_width() const { return options_.width / options_.decode_shrink; }
  std::int64_t image_height() const { return options_.height / options_.decode_shrink; }

  /// Conditioning [1, T, width] of a prompt. It depends on LoRAs in the text encoder.
  at::Tensor encode(const std::string& prompt) const;

  /// Called before each evaluation with its number; may throw to stop.
  using OnStep = std::function<void(std::int64_t step)>;

  /// Pixels in 0 … 1, [B, 3, image_height(), image_width()], float32 on the CPU. Row i starts from
  /// randn(1, C, height/f, width/f) of a CPU generator with seeds[i]. `context` is [B, T, width];
  /// `unconditional` [1, T, width] is what guidance leads away from (without guidance it may be
  /// undefined). Error(kResource) when numbers left the range of the dtype.
  at::Tensor images(const at::Tensor& context, const at::Tensor& unconditional,
                    std::span<const std::uint64_t> seeds, const OnStep& on_step = {});

  /// What the autoencoder knows of a picture, [1, 3, height, width] in 0 … 1.
  models::Posterior encode_picture(const at::Tensor& pixels) const;

  /// The same from pictures, with options().strength above 0, as diffusers'
  /// StableDiffusionImg2ImgPipeline draws them: the generator of seeds[i] first draws a sample of
  /// starts[i], then the noise on it, and the sampler leaves out the steps before the strength.
  at::Tensor images_from(std::span<const models::Posterior> starts, const at::Tensor& context,
                         const at::Tensor& unconditional, std::span<const std::uint64_t> seeds,
                         const OnStep& on_step = {});

 private:
  std::vector<std::int64_t> latent_shape() const;
  at::Tensor draw(at::Tensor latents, const at::Tensor& context, const at::Tensor& unconditional,
                  const OnStep& on_step);
  at::Tensor noise(std::span<const std::uint64_t> seeds) const;
  /// What one batch keeps over its steps.
  struct Batch {
    at::Tensor context;  ///< [B, T, width]
    at::Tensor both;     ///< [2B, T, width], unconditional first; undefined without guidance
    models::KeyValueCache context_cache;
    models::KeyValueCache both_cache;
    models::DeepFeatures deep;
  };
  /// `number` counts evaluations from 0.
  at::Tensor predict(const at::Tensor& latents, std::int64_t number, Batch& batch) const;
  at::Tensor decode(const at::Tensor& latents) const;

  const models::StableDiffusion& model_;
  SamplingOptions options_;
  std::unique_ptr<Sampler> sampler_;
  std::vector<Evaluation> evaluations_;
};

}  // namespace dd::generate
