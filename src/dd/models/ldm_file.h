// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/models/stable_diffusion.h"

namespace dd::models {

/// The folder that says about a single-file checkpoint what the file does not hold: the one beside
/// it with its name but without the ending, or else the folder it lies in. It is laid out as a
/// diffusers folder: tokenizer/, and, where wanted, scheduler/ and unet/, vae/, text_encoder/ with
/// a config.json each.
std::filesystem::path ldm_folder(const std::filesystem::path& file);

/// Loads a single-file checkpoint of Stable Diffusion 1 or 2, .safetensors or .ckpt.
/// Error(kInput) lists tensors that are missing, misshapen or unexpected, and says where to put a
/// tokenizer when there is none.
StableDiffusion load_ldm(const std::filesystem::path& file, Placement placement,
                         const ModelOptions& options);

}  // namespace dd::models
