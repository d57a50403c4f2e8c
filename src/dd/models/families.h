// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/core/json.h"
#include "dd/io/checkpoint.h"

namespace dd::models {

// Models that look like Stable Diffusion 1 or 2, or like CLIP, and are not. Each of these looks at
// what marks the others, before any weights are read: Error(kInput) names the file, the key or
// tensor, the family and what to take instead.

/// `unet/config.json`; `where` is its path.
void refuse_other_unet(const Json& config, const std::string& where);
/// `model_index.json` of a diffusers folder; one that is missing says nothing.
void refuse_other_folder(const std::filesystem::path& folder);
/// The names and shapes of a single-file checkpoint.
void refuse_other_file(const io::Checkpoint& checkpoint);
/// The names of a file with a CLIP under OpenAI's or OpenCLIP's names.
void refuse_other_clip(const io::Checkpoint& checkpoint);

}  // namespace dd::models
