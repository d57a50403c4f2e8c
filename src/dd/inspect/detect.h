// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace dd::inspect {

/// What a path can hold.
enum class Kind {
  kStableDiffusion,  ///< diffusers folder or single file
  kUNet,             ///< one part of a diffusers folder …
  kVae,
  kTextEncoder,
  kClip,        ///< Hugging Face folder, or a file of OpenAI's or OpenCLIP's
  kLora,        ///< file, or a folder of peft's
  kAdapters,    ///< what `adapt` writes
  kClassifier,  ///< what `train` writes
  kDataset,     ///< NAME:ROOT or a folder of class folders
  kImage,
  kTensors,  ///< a file of tensors that belong to nothing known
};

/// Tells by names in the folder, or by the first bytes and the names of the tensors in the file;
/// what it says need not be sound. `path` may also be NAME:ROOT of a known data set. Error(kInput)
/// when it does not exist or holds nothing that is known.
Kind detect(const std::string& path);

/// "Stable Diffusion", "LoRA", …
std::string kind_name(Kind kind);

}  // namespace dd::inspect
