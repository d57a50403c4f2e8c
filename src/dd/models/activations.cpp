// SPDX-License-Identifier: Apache-2.0
#include "dd/models/activations.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/io/checkpoint.h"
#include "dd/models/ldm_config.h"
#include "dd/models/ldm_file.h"

namespace dd::models {
namespace {

// Maps that a residual block keeps, and a transformer, whose gated MLP is 8 times as wide.
constexpr double kResidual = 9;
constexpr double kTransformer = 32;
// Of a block that is computed again: its inputs, skips among them, and what awaits their gradients.
constexpr double kInputs = 3;
// Maps of a layer of CLIP's towers, a LoRA on its MLP included.
constexpr double kClipLayer = 20;
// Prompts of classes share their beginning: what is computed of each is little more than its name.
constexpr double kOwnTokens = 4;

double tower(const nn::ClipEncoderConfig& config, double tokens) {
  return tokens * static_cast<double>(config.width) * static_cast<double>(config.layers) *
         kClipLayer;
}

}  // namespace

double unet_activations(const UNetConfig& config, GridSize cells, bool recomputed) {
  double inputs = 0;
  double kept = 0;
  double largest = 0;
  const auto levels = static_cast<std::int64_t>(config.widths.size());
  for (std::int64_t level = 0; level < levels; ++level) {
    const auto at = static_cast<std::size_t>(level);
    const double map = static_cast<double>(cells.height >> level) *
                       static_cast<double>(cells.width >> level) *
                       static_cast<double>(config.widths[at]);
    // On the way up there is one layer more; the middle has two blocks and a transformer.
    const bool is_last = level == levels - 1;
    const double on_the_way = 2 * static_cast<double>(config.layers_per_block) + 1;
    const double blocks = on_the_way + (is_last ? 2 : 0);
    const double transformers = ((config.attention[at] ? on_the_way : 0) + (is_last ? 1 : 0)) *
                                static_cast<double>(config.transformer_layers);
    kept += map * (blocks * kResidual + transformers * kTransformer);
    inputs += map * (blocks + transformers) * kInputs;
    largest = std::max(largest, map * (kResidual + kTransformer));
  }
  return recomputed ? inputs + largest : kept;
}

double clip_image_activations(const ClipConfig& config) {
  const std::int64_t side = config.vision.image_size / config.vision.patch_size;
  return tower(config.vision.encoder, static_cast<double>(side) * static_cast<double>(side) + 1);
}

double clip_prompt_activations(const ClipConfig& config) {
  return tower(config.text.encoder, kOwnTokens);
}

std::optional<LatentShapes> latent_shapes(const std::filesystem::path& model) {
  try {
    if (path_is_file(model)) {
      const LdmParts parts = ldm_parts(io::Checkpoint::open_file(model), ldm_folder(model));
      return LatentShapes{parts.unet, parts.vae};
    }
    const auto config = [&](const char* part) { return model / part / "config.json"; };
    return LatentShapes{UNetConfig::from_json(read_json(config("unet")), config("unet").string()),
                        VaeConfig::from_json(read_json(config("vae")), config("vae").string())};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace dd::models
