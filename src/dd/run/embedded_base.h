// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace dd::run {

/// The small models that come with the program.
struct EmbeddedBase {
  std::filesystem::path model;  ///< diffusers folder
  std::filesystem::path clip;   ///< Hugging Face folder
};

/// Looks for stable-diffusion and clip in the folder that the environment's DATADREAM_ASSETS names,
/// and without it beside the program: ../assets/base (a build folder inside the source tree), then
/// ../share/datadream/base (an installation). Error(kInput) names the places.
EmbeddedBase embedded_base();

}  // namespace dd::run
