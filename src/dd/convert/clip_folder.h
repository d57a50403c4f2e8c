// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/core/context.h"

namespace dd::convert {

/// What goes into a Hugging Face CLIP folder.
struct ClipSource {
  std::filesystem::path clip;        ///< the CLIP
  std::filesystem::path classifier;  ///< to be merged into it; empty = none
  std::string dtype = "auto";        ///< as on the command line; auto keeps the CLIP's own
};

/// Writes the CLIP, with the classifier's LoRA merged into its weights, as transformers' CLIPModel
/// loads it: zero-shot with the classifier's template it scores as the classifier does. Beside it
/// class_names.json holds names and template. Warns when the classifier was trained on another
/// CLIP. Returns a line about what was written.
std::string write_clip_folder(const ClipSource& source, const std::filesystem::path& folder,
                              Reporter& report);

}  // namespace dd::convert
