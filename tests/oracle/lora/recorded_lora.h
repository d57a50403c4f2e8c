// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/mse_loss.h>

#include <array>
#include <map>
#include <string>

#include "dd/diffusion/noise_schedule.h"
#include "dd/lora/lora_set.h"
#include "dd/models/clip_text.h"
#include "dd/models/unet.h"
#include "support/oracle.h"

namespace dd::test {

/// What tools/oracle/lora.py uses: rank 4, alpha 8.
inline const lora::LoraOptions kRecordedOptions{.rank = 4, .alpha = 8};

/// All tensors of a file that begin with `prefix`, which is cut off.
inline std::map<std::string, at::Tensor> tensors_of(const io::SafetensorsFile& file,
                                                    const std::string& prefix = "") {
  std::map<std::string, at::Tensor> found;
  for (const io::TensorEntry& entry : file.entries()) {
    if (entry.name.starts_with(prefix))
      found[entry.name.substr(prefix.size())] = file.tensor(entry.name);
  }
  return found;
}

/// Recorded `layer.lora_A/B.weight` tensors as pairs with the recorded alpha / rank.
inline lora::LoraWeights recorded_weights(const std::filesystem::path& file) {
  const std::string end = ".lora_A.weight";
  lora::LoraWeights weights;
  const auto tensors = tensors_of(io::SafetensorsFile(file));
  for (const auto& [name, down] : tensors) {
    if (!name.ends_with(end)) continue;
    const std::string layer = name.substr(0, name.size() - end.size());
    weights.pairs.push_back(
        {.layer = layer, .down = down, .up = tensors.at(layer + ".lora_B.weight"), .scale = 2});
  }
  return weights;
}

/// The two adapted parts of a recorded Stable Diffusion folder, and its training schedule.
struct RecordedDiffusion {
  explicit RecordedDiffusion(const std::string& family)
      : folder(oracle_path("models") / family),
        text(models::TextEncoder::load(folder / "text_encoder", {})),
        unet(models::UNet::load(folder / "unet", {})),
        schedule(ScheduleConfig::from_folder(folder / "scheduler")) {}

  std::array<lora::ModelPart, 2> parts() const {
    return {{{"unet", &unet.parameters()}, {"text_encoder", &text.parameters()}}};
  }

  /// The U-Net's output for one training batch.
  at::Tensor predict(const at::Tensor& latents, const at::Tensor& noise,
                     const at::Tensor& timesteps, const at::Tensor& ids) const {
    return unet(schedule.add_noise(latents, noise, timesteps), timesteps, text(ids));
  }

  at::Tensor loss(const at::Tensor& latents, const at::Tensor& noise, const at::Tensor& timesteps,
                  const at::Tensor& ids) const {
    return at::mse_loss(predict(latents, noise, timesteps, ids),
                        schedule.target(latents, noise, timesteps));
  }

  std::filesystem::path folder;
  models::TextEncoder text;
  models::UNet unet;
  NoiseSchedule schedule;
};

/// RecordedDiffusion with the batch, LoRA and results of tests/oracle/lora/<family>.
struct RecordedLora : RecordedDiffusion {
  explicit RecordedLora(const std::string& family)
      : RecordedDiffusion(family),
        lora_folder(oracle_path("lora") / family),
        weights(recorded_weights(lora_folder / "lora.safetensors")),
        expected(lora_folder / "expected.safetensors") {}

  at::Tensor prediction() const {
    return predict(expected.tensor("latents"), expected.tensor("noise"),
                   expected.tensor("timesteps"), expected.tensor("input_ids"));
  }
  at::Tensor recorded_batch_loss() const {
    return loss(expected.tensor("latents"), expected.tensor("noise"), expected.tensor("timesteps"),
                expected.tensor("input_ids"));
  }

  std::filesystem::path lora_folder;
  lora::LoraWeights weights;
  io::SafetensorsFile expected;
};

}  // namespace dd::test
