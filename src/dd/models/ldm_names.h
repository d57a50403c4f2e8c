// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/models/clip_text.h"
#include "dd/models/name_table.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"

namespace dd::models {

/// The layout of single-file Stable Diffusion checkpoints, as Stability's and CompVis's code
/// (latent-diffusion) names the parts.
inline constexpr const char* kLdmUNet = "model.diffusion_model.";
inline constexpr const char* kLdmVae = "first_stage_model.";
inline constexpr const char* kLdmText = "cond_stage_model.transformer.";  ///< SD 1: transformers
inline constexpr const char* kLdmOpenClip = "cond_stage_model.model.";    ///< SD 2: OpenCLIP

/// All parts of a model of this configuration under the names that the file has. The three models
/// share no parameter name, so one table serves them all.
struct LdmParts {
  UNetConfig unet;
  VaeConfig vae;
  ClipTextConfig text;
  bool openclip = false;   ///< the text tower is OpenCLIP's (SD 2), not transformers' (SD 1)
  bool bare_text = false;  ///< transformers' tower without "text_model." in its names
};
NameTable ldm_names(const LdmParts& parts);

/// Beginnings of names in published files that are not weights of the three models: averages,
/// buffers of the training code, losses, and the parts of the text tower that are not used.
const std::vector<std::string>& ldm_extras();

}  // namespace dd::models
