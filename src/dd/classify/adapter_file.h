// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/lora/lora_set.h"

namespace dd::classify {

/// What PEFT calls the two files of an adapter.
inline constexpr const char* kAdapterFile = "adapter_model.safetensors";
inline constexpr const char* kAdapterConfig = "adapter_config.json";

/// Writes both files so that `PeftModel.from_pretrained(CLIPModel, folder)` loads them: tensors
/// `base_model.model.LAYER.lora_A.weight` and `.lora_B.weight`, float32. All pairs must have the
/// rank and alpha of `options`.
void write_adapter(const std::filesystem::path& folder, const lora::LoraWeights& weights,
                   const lora::LoraOptions& options);

/// Reads them again. Error(kInput) names the file and a tensor that is of another name, lacks its
/// other half or has another shape than its half or the configuration say.
lora::LoraWeights read_adapter(const std::filesystem::path& folder);

}  // namespace dd::classify
