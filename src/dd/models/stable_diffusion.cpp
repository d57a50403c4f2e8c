// SPDX-License-Identifier: Apache-2.0
#include "dd/models/stable_diffusion.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdio>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/io/fingerprint.h"
#include "dd/models/families.h"
#include "dd/models/ldm_file.h"

namespace dd::models {
namespace fs = std::filesystem;
namespace {

void check_folder(const fs::path& folder, const ModelOptions& options) {
  if (!path_exists(folder))
    fail_input(cat("no model at ", folder.string(), ": no such file or folder; check --model"));
  refuse_other_folder(folder);
  for (const char* part : {"unet", "vae", "text_encoder", "tokenizer", "scheduler"}) {
    const bool given = part == std::string("tokenizer") && !options.tokenizer.empty();
    if (!given && !path_is_folder(folder / part)) {
      fail_input(cat("no Stable Diffusion model in ", folder.string(), ": the folder ", part,
                     " is missing; name a diffusers model folder or a single-file checkpoint"));
    }
  }
}

/// True for versions below 0.9.
bool is_old(const std::string& version) {
  int major = 1;
  int minor = 0;
  return std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2 && major == 0 && minor < 9;
}

StableDiffusion load_folder(const fs::path& folder, Placement placement,
                            const ModelOptions& options) {
  check_folder(folder, options);
  // Read before the text encoder's gigabytes, so that another family is refused at once.
  const fs::path unet = folder / "unet" / "config.json";
  if (path_exists(unet)) UNetConfig::from_json(read_json(unet), unet.string());
  return {.tokenizer = ClipTokenizer::load(options.tokenizer.empty() ? folder / "tokenizer"
                                                                     : options.tokenizer),
          .text_encoder = TextEncoder::load(folder / "text_encoder", placement),
          .unet = UNet::load(folder / "unet", placement),
          .vae = Vae::load(folder / "vae", vae_placement(placement)),
          .schedule = ScheduleConfig::from_folder(folder / "scheduler"),
          .placement = placement,
          .source = folder.string(),
          .fingerprint = fingerprint_of(folder, options),
          .notes = {}};
}

void check_parts(const StableDiffusion& model) {
  if (model.text_encoder.config().encoder.width != model.unet.config().context_width) {
    fail_input(cat("the parts of ", model.source, " do not belong together: the text encoder is ",
                   model.text_encoder.config().encoder.width, " wide, the U-Net expects ",
                   model.unet.config().context_width, "; fetch the model again"));
  }
  if (model.tokenizer.vocab_size() > model.text_encoder.config().vocab_size) {
    fail_input(cat("the parts of ", model.source, " do not belong together: the tokenizer knows ",
                   model.tokenizer.vocab_size(), " tokens, the text encoder ",
                   model.text_encoder.config().vocab_size, "; fetch the model again"));
  }
  const std::int64_t channels = model.vae.config().latent_channels;
  if (channels != model.unet.config().in_channels) {
    fail_input(cat("the parts of ", model.source, " do not belong together: the U-Net takes ",
                   model.unet.config().in_channels, " channels, the VAE's latents have ", channels,
                   "; fetch the model again"));
  }
}

}  // namespace

std::string fingerprint_of(const fs::path& path, const ModelOptions& options) {
  if (path_is_folder(path)) return io::fingerprint_of_model(path);
  std::vector<fs::path> files{path};
  const std::vector<fs::path> beside = ldm_companions(path, options);
  files.insert(files.end(), beside.begin(), beside.end());
  return io::fingerprint(files);
}

StableDiffusion StableDiffusion::load(const fs::path& path, Placement placement,
                                      const ModelOptions& options) {
  StableDiffusion model = path_is_file(path) ? load_ldm(path, placement, options)
                                             : load_folder(path, placement, options);
  check_parts(model);
  if (options.prediction_type != "auto") {
    model.schedule.prediction_type =
        options.prediction_type == "epsilon" ? PredictionType::kEpsilon : PredictionType::kVelocity;
  }
  return model;
}

std::int64_t default_size(const UNetConfig& unet, const VaeConfig& vae) {
  const bool meant_64 = is_old(unet.written_by) && unet.sample_size < 64;
  return (meant_64 ? 64 : unet.sample_size) * vae.factor();
}

std::int64_t StableDiffusion::default_size() const {
  return models::default_size(unet.config(), vae.config());
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
