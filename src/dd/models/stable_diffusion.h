// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dd/diffusion/schedule_config.h"
#include "dd/models/clip_text.h"
#include "dd/models/model_options.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"
#include "dd/text/tokenizer.h"

namespace dd::models {

/// Pixels a side that a model of these shapes was trained on. U-Nets written by diffusers before
/// 0.9 with a sample_size under 64 mean 64.
std::int64_t default_size(const UNetConfig& unet, const VaeConfig& vae);

/// A latent diffusion model with all its parts.
struct StableDiffusion {
  ClipTokenizer tokenizer;
  TextEncoder text_encoder;
  UNet unet;
  Vae vae;
  ScheduleConfig schedule;
  /// But for the VAE, float32 where this says float16. At rest are text encoder and VAE alone.
  Placement placement;
  std::string source;              ///< the folder or file it came from
  std::string fingerprint;         ///< see fingerprint_of
  std::vector<std::string> notes;  ///< what a user should know of how it was read, a line each

  /// A diffusers folder, or a single-file checkpoint (see ldm_file.h). Error(kInput) names the part
  /// that is missing or does not fit.
  static StableDiffusion load(const std::filesystem::path& path, Placement placement,
                              const ModelOptions& options = {});

  /// That of its own shapes.
  std::int64_t default_size() const;

  /// Tokens [N, context length] of prompts, on the model's device.
  at::Tensor tokenize(std::span<const std::string> prompts) const;
  /// Conditioning [N, T, width] of prompts.
  at::Tensor encode(std::span<const std::string> prompts) const;
};

/// A hash (io/fingerprint.h) of all that a model is read from: of a folder its weights and JSON
/// files (merges.txt adds nothing: vocab.json lists its entries in order), of a single file the
/// file and what it is read with beside it. A tokenizer or prediction type given as an option is
/// not in it, see ModelOptions::identity.
std::string fingerprint_of(const std::filesystem::path& path, const ModelOptions& options);

/// Tokens [N, context length] (int64, CPU) of texts; how many texts were cut is added to
/// `truncated`.
at::Tensor tokenize(const ClipTokenizer& tokenizer, std::span<const std::string> texts,
                    std::int64_t* truncated = nullptr);

}  // namespace dd::models
