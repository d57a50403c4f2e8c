// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "dd/lora/lora_set.h"

namespace dd::lora {

/// Where a LoRA comes from, as its file's metadata says it. Empty texts are left out.
struct LoraRecord {
  std::string base_model;       ///< fingerprint of the model it was trained on (io/fingerprint.h)
  std::string prompt_template;  ///< "a photo of a {}"
  std::string class_name;       ///< the class, where it is of one
  std::string data;             ///< hash of the images it was trained on
  std::string settings;         ///< the training's options, as JSON
};

/// The name under which diffusers looks for a LoRA in a folder.
inline constexpr const char* kLoraFileName = "pytorch_lora_weights.safetensors";

/// Writes what diffusers' load_lora_weights (0.35 and later) and peft read: tensors
/// `layer.lora_A.weight` / `layer.lora_B.weight`; rank, alpha and targets for each part in the
/// metadata key `lora_adapter_metadata` in diffusers' form, with those of peft's fields that all
/// its releases know; our record under `datadream.*`. `dtype` is the precision on disk. All pairs
/// of a part must have one scale, as LoraSet makes them (Error(kUsage) otherwise).
void write_lora(const std::filesystem::path& path, const LoraWeights& weights,
                const LoraRecord& record, at::ScalarType dtype = at::kFloat);

struct LoraFile {
  LoraWeights weights;  ///< float32, on the device of the layer they belong to
  LoraRecord record;    ///< empty for files of other programs
};

/// Reads a LoRA for these parts, whatever family of names it uses: diffusers/PEFT
/// (`lora_A`/`lora_B`), older diffusers (`.lora.down`, `.lora_linear_layer.down`,
/// `processor.…_lora.down`), `unet.base_model.model.…`, kohya (`lora_unet_…`, `lora_te_…`,
/// `.alpha`). A pair's scale is its own alpha / rank, else that of the metadata, else 1.
///
/// Error(kInput) names the file and the tensors that no layer of the parts takes, that lack their
/// other half, or whose shape does not fit.
LoraFile read_lora(const std::filesystem::path& path, std::span<const ModelPart> parts);

}  // namespace dd::lora
