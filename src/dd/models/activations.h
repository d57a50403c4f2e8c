// SPDX-License-Identifier: Apache-2.0
// What a training step keeps of its forward pass for the way back: where the memory of a batch
// goes. Numbers, not bytes, by shapes alone; as floating point, since a file may claim any. Layers
// are counted in maps of their inputs' size; how many maps a layer of each kind keeps was measured,
// and is said on the cautious side: from a tenth to a third too much with the embedded base and
// with Stable Diffusion 2.1's shapes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "dd/models/clip.h"
#include "dd/models/flops.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"

namespace dd::models {

/// One latent of this size through the U-Net; `recomputed` where blocks keep their inputs alone and
/// are computed again, one at a time.
double unet_activations(const UNetConfig& config, GridSize cells, bool recomputed);

/// One picture, and one class prompt, through CLIP's towers.
double clip_image_activations(const ClipConfig& config);
double clip_prompt_activations(const ClipConfig& config);

/// Shapes of a latent diffusion model as the configurations of its folder, or the tensors of its
/// file, tell. Nothing for what is no such model: loading it says why.
struct LatentShapes {
  UNetConfig unet;
  VaeConfig vae;
};
std::optional<LatentShapes> latent_shapes(const std::filesystem::path& model);

}  // namespace dd::models
