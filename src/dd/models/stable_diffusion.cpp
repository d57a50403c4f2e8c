// SPDX-License-Identifier: Apache-2.0
#include "dd/models/stable_diffusion.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdio>

#include "dd/core/error.h"
#include "dd/io/fingerprint.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

void check_folder(const fs::path& folder) {
  if (!fs::exists(folder))
    fail_input(cat("no model at ", folder.string(), ": no such folder; check --model"));
  for (const char* part : {"unet", "vae", "text_encoder", "tokenizer", "scheduler"}) {
    if (!fs::is_directory(folder / part)) {
      fail_input(cat("no Stable Diffusion model in ", folder.string(), ": the folder ", part,
                     " is missing; name a diffusers model folder"));
    }
  }
}

/// True for versions below 0.9.
bool is_old(const std::string& version) {
  int major = 1;
  int minor = 0;
  return std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2 && major == 0 && minor < 9;
}

/// The decoder's activations leave the range of float16 in published models (black pictures), so
/// the VAE keeps float32 there: a fifteenth of the weights, and one pass an image.
Placement vae_placement(Placement placement) {
  if (placement.dtype == at::kHalf) placement.dtype = at::kFloat;
  return placement;
}

}  // namespace

StableDiffusion StableDiffusion::load(const fs::path& folder, Placement placement) {
  check_folder(folder);
  StableDiffusion model{.tokenizer = ClipTokenizer::from_folder(folder / "tokenizer"),
                        .text_encoder = TextEncoder::load(folder / "text_encoder", placement),
                        .unet = UNet::load(folder / "unet", placement),
                        .vae = Vae::load(folder / "vae", vae_placement(placement)),
                        .schedule = ScheduleConfig::from_folder(folder / "scheduler"),
                        .placement = placement,
                        .source = folder.string(),
                        .fingerprint = io::fingerprint_of_model(folder)};
  if (model.text_encoder.config().encoder.width != model.unet.config().context_width) {
    fail_input(cat("the parts of ", folder.string(),
                   " do not belong together: the text encoder is ",
                   model.text_encoder.config().encoder.width, " wide, the U-Net expects ",
                   model.unet.config().context_width, "; fetch the model again"));
  }
  if (model.tokenizer.vocab_size() > model.text_encoder.config().vocab_size) {
    fail_input(cat("the parts of ", folder.string(),
                   " do not belong together: the tokenizer knows ", model.tokenizer.vocab_size(),
                   " tokens, the text encoder ", model.text_encoder.config().vocab_size,
                   "; fetch the model again"));
  }
  return model;
}

std::int64_t StableDiffusion::default_size() const {
  const bool meant_64 = is_old(unet.config().written_by) && unet.config().sample_size < 64;
  return (meant_64 ? 64 : unet.config().sample_size) * vae.config().factor();
}

at::Tensor StableDiffusion::tokenize(std::span<const std::string> prompts) const {
  return models::tokenize(tokenizer, prompts).to(placement.device);
}

at::Tensor StableDiffusion::encode(std::span<const std::string> prompts) const {
  return text_encoder(tokenize(prompts));
}

at::Tensor tokenize(const ClipTokenizer& tokenizer, std::span<const std::string> texts,
                    std::int64_t* truncated) {
  const std::int64_t length = tokenizer.context_length();
  at::Tensor tokens = at::empty({static_cast<std::int64_t>(texts.size()), length}, at::kLong);
  auto* row = tokens.mutable_data_ptr<std::int64_t>();
  for (const std::string& text : texts) {
    const Encoding encoding = tokenizer.encode(text);
    row = std::copy(encoding.ids.begin(), encoding.ids.end(), row);
    if (truncated && encoding.truncated) ++*truncated;
  }
  return tokens;
}

}  // namespace dd::models
