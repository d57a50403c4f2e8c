// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/models/clip.h"

namespace dd::models {

/// The weights in an OpenCLIP folder; empty where there are none.
std::filesystem::path open_clip_weights(const std::filesystem::path& folder);

struct LoadedClip {
  Clip clip;
  std::string assumed;  ///< what no file says and was taken for granted; empty = nothing
};

/// Reads a CLIP with both towers, of which the image tower is a vision transformer:
/// - a Hugging Face folder (config.json and its weights), or its weights file in that folder;
/// - an OpenCLIP folder (open_clip_config.json and its weights);
/// - one file with OpenAI's names: OpenAI's TorchScript archive, a state_dict of theirs or of
///   OpenCLIP's, alone or inside a training checkpoint. Sizes come from the tensors, the number of
///   heads and the activation from an open_clip_config.json beside the file. Without one, heads are
///   64 wide (in OpenCLIP's towers of width 1280, 1408 and 1664 there are 16), and the activation
///   is quick_gelu in what OpenAI wrote (the archive, or single and half precision mixed) and gelu
///   in all else.
/// `activation` overrides: "quick_gelu", "gelu" or "silu"; "auto" = as above. Error(kInput) names
/// file and tensor or key.
LoadedClip load_clip(const std::filesystem::path& path, Placement placement,
                     const std::string& activation = "auto");

}  // namespace dd::models
