// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dd/models/clip.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"

namespace dd::models {

/// Floating-point operations of matrix products and convolutions, a multiplication and its addition
/// counted as two, as torch.utils.flop_counter counts them; norms and activations are left out.
struct Flops {
  double forward = 0;
  /// Forward and backward where only LoRAs learn: a product with frozen weights has a gradient for
  /// its input, if a LoRA lies before it; the others for both factors, as far as they need one.
  double training = 0;

  Flops& operator+=(const Flops& other);
};

/// Which linear layers of a transformer have a LoRA.
struct LoraShape {
  std::int64_t rank = 0;         ///< 0 = none
  std::int64_t projections = 4;  ///< of an attention: 4 = q, k, v and out; 2 = q and v
  bool mlp = false;
};

/// A picture's measures, in latent cells or pixels.
struct GridSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// One evaluation of one latent; `tokens` of conditioning, which learns too where there is a LoRA.
Flops unet_flops(const UNetConfig& config, GridSize cells, std::int64_t tokens, LoraShape lora);
/// What drawing asks of the U-Net for one latent and one prompt, without a LoRA. (Two prompts of a
/// latent share what comes before the first attention to the text; each counts in full.)
struct DrawingFlops {
  double keys = 0;     ///< keys and values of the prompt's `tokens`, made once for all evaluations
  double whole = 0;    ///< an evaluation besides them
  double shallow = 0;  ///< of it, what is left where the deeper levels' features are taken again
};
DrawingFlops drawing_flops(const UNetConfig& config, GridSize cells, std::int64_t tokens);
/// One picture, pixels to latents.
Flops vae_encoder_flops(const VaeConfig& config, GridSize pixels);
/// One picture, latents to pixels.
Flops vae_decoder_flops(const VaeConfig& config, GridSize pixels);
/// One prompt of `tokens`, without CLIP's projection.
Flops text_flops(const ClipTextConfig& config, std::int64_t tokens, LoraShape lora);
/// One prompt with CLIP's projection. (Of the last layer only one token is computed, and what
/// prompts have in common once; here as in the next, all tokens count in full, as the reference has
/// it.)
Flops clip_text_flops(const ClipConfig& config, std::int64_t tokens, LoraShape lora);
/// One picture with CLIP's projection.
Flops clip_image_flops(const ClipConfig& config, LoraShape lora);

}  // namespace dd::models
