// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/io/checkpoint.h"
#include "dd/models/ldm_names.h"

namespace dd::models {

/// Is this the file of a Stable Diffusion model in one piece? Looks at names alone.
bool looks_like_ldm(const io::Checkpoint& checkpoint);

/// The configuration of a single-file checkpoint. For each part, `FOLDER/unet/config.json` and so
/// on is read where it exists; else it is derived from the shapes of the tensors and from what all
/// published models of the family share (SD 1: 8 heads, quick_gelu; SD 2: heads 64 wide, gelu,
/// attention scores in float32, the last text layer left out when there are 24; 32 norm groups,
/// epsilons). Error(kInput) names the file and the tensor that is missing.
LdmParts ldm_parts(const io::Checkpoint& checkpoint, const std::filesystem::path& folder);

}  // namespace dd::models
