// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "dd/models/stable_diffusion.h"

namespace dd::convert {

/// A model on the CPU that is to be written in another form.
struct SourceModel {
  models::StableDiffusion model;
  /// What each part is to be written as: "unet", "vae", "text_encoder".
  std::map<std::string, at::ScalarType> dtypes;
  std::filesystem::path tokenizer;  ///< its folder

  /// Loads a diffusers folder or a single file. `dtype` is "f32", "f16", "bf16", or "auto", which
  /// keeps each part's own. Weights that stay as they are remain views of the file; others pass
  /// through float32, so that a merged LoRA is rounded once. Error(kInput).
  static SourceModel load(const std::filesystem::path& path, const std::string& dtype,
                          const models::ModelOptions& options);
};

/// transformers' and diffusers' word for a format: "float16".
std::string python_name(at::ScalarType dtype);

}  // namespace dd::convert
