// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/core/room.h"
#include "dd/io/tensor_file.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// The tensors of a latent diffusion model, from the headers of its files alone; those of a folder
/// begin with their part, "unet.…". Nothing for what is no such model: loading it says why.
std::vector<io::TensorInfo> model_tensors(const std::filesystem::path& model);

/// The tensors of a CLIP (clip_file.h) or of another model that is one folder or file, likewise.
std::vector<io::TensorInfo> weights_in(const std::filesystem::path& model);

/// What the model's numbers take where and as they are placed; those at rest in the file's type.
std::int64_t model_bytes(const std::vector<io::TensorInfo>& tensors, Placement placement);

/// model_bytes() beside what the device has. What a batch needs comes on top (activations.h).
MemoryNeed memory_need(const std::vector<io::TensorInfo>& tensors, Placement placement);

/// Loads a model and says what its weights take: beforehand where they do not fit, afterwards where
/// they do, so that what cannot be loaded says nothing else.
template <class Load>
auto load_saying_memory(const MemoryNeed& need, const std::string& what, Reporter& report,
                        const Load& load) {
  if (!need.fits()) report_memory(need, what, report);
  auto model = load();
  if (need.fits()) report_memory(need, what, report);
  return model;
}

}  // namespace dd::models
