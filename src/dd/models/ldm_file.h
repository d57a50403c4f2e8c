// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/models/ldm_names.h"
#include "dd/models/ldm_prediction.h"
#include "dd/models/stable_diffusion.h"

namespace dd::models {

/// The folder that says about a single-file checkpoint what the file does not hold: the one beside
/// it with its name but without the ending, or else the folder it lies in. It is laid out as a
/// diffusers folder: tokenizer/, and, where wanted, scheduler/ and unet/, vae/, text_encoder/ with
/// a config.json each.
std::filesystem::path ldm_folder(const std::filesystem::path& file);

/// The three models of a single-file checkpoint, without what stands beside the file.
struct LdmModels {
  LdmParts parts;
  LdmPrediction prediction;
  TextEncoder text_encoder;
  UNet unet;
  Vae vae;
};

/// Error(kInput) lists tensors that are missing, misshapen or unexpected.
LdmModels load_ldm_models(const std::filesystem::path& file, Placement placement,
                          const ModelOptions& options);

/// Where the tokenizer of a single-file checkpoint lies: where the options say, or in ldm_folder.
/// It need not exist.
std::filesystem::path ldm_tokenizer(const std::filesystem::path& file, const ModelOptions& options);

/// What is read beside a single-file checkpoint, as far as it is there: configurations, scheduler,
/// and the tokenizer unless the options name another.
std::vector<std::filesystem::path> ldm_companions(const std::filesystem::path& file,
                                                  const ModelOptions& options);

/// Loads a single-file checkpoint of Stable Diffusion 1 or 2, .safetensors or .ckpt.
/// Error(kInput) lists tensors that are missing, misshapen or unexpected, and says where to put a
/// tokenizer when there is none.
StableDiffusion load_ldm(const std::filesystem::path& file, Placement placement,
                         const ModelOptions& options);

}  // namespace dd::models
