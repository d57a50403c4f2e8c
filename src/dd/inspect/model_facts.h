// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/inspect/detect.h"
#include "dd/inspect/report.h"
#include "dd/models/model_options.h"

namespace dd::inspect {

/// Each loads the model without its weights, by the same code and as strictly as a stage does: what
/// a stage would refuse is a problem here. `deep` reads the weights too.

void examine_stable_diffusion(const std::filesystem::path& path,
                              const models::ModelOptions& options, bool deep, Report& report);

/// A U-Net, VAE or text encoder in its folder, or its file alone.
void examine_part(const std::filesystem::path& path, Kind kind, bool deep, Report& report);

void examine_clip(const std::filesystem::path& path, bool deep, Report& report);

/// A file of tensors that belong to nothing known.
void examine_tensors(const std::filesystem::path& path, bool deep, Report& report);

}  // namespace dd::inspect
