// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "dd/lora/lora_content.h"
#include "dd/lora/lora_set.h"

namespace dd::lora {

/// The name under which diffusers looks for a LoRA in a folder.
inline constexpr const char* kLoraFileName = "pytorch_lora_weights.safetensors";

/// Writes what diffusers' load_lora_weights (0.35 and later) and peft read: tensors
/// `layer.lora_A.weight` / `layer.lora_B.weight`; rank, alpha and targets for each part in the
/// metadata key `lora_adapter_metadata` in diffusers' form, with those of peft's fields that all
/// its releases know; our record under `datadream.*`. `dtype` is the precision on disk.
void write_lora(const std::filesystem::path& path, const LoraWeights& weights,
                const LoraRecord& record, at::ScalarType dtype = at::kFloat);

struct LoraFile {
  LoraWeights weights;  ///< float32, on the device of the layer they belong to
  LoraRecord record;    ///< empty for files of other programs
};

/// Reads a LoRA for these parts, of every family of names that read_lora_content knows.
/// Convolutions can be adapted too, by pairs whose `down` has the convolution's kernel.
///
/// Error(kInput) names the file and the tensors that no layer of the parts takes, that lack their
/// other half, or whose shape does not fit.
LoraFile read_lora(const std::filesystem::path& path, std::span<const ModelPart> parts);

}  // namespace dd::lora
