// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/context.h"
#include "dd/io/tensor_file.h"
#include "dd/tensor/device.h"

namespace dd::models {

/// The tensors of a latent diffusion model, from the headers of its files alone; those of a folder
/// begin with their part, "unet.…". Nothing for what is no such model: loading it says why.
std::vector<io::TensorInfo> model_tensors(const std::filesystem::path& model);

/// What the model's numbers take where and as they are placed; those at rest in the file's type.
std::int64_t model_bytes(const std::vector<io::TensorInfo>& tensors, Placement placement);

/// Warns when the numbers of the model, where and as they are placed, take more memory than there
/// is. What a batch needs comes on top and is not counted. On a GPU nothing is said.
void warn_of_model_memory(const std::vector<io::TensorInfo>& tensors, Placement placement,
                          Reporter& report);

}  // namespace dd::models
