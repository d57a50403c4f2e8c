// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "dd/convert/source_model.h"

namespace dd::convert {

/// The folder beside a single file for what the file does not hold: its name without the ending.
std::filesystem::path folder_beside(const std::filesystem::path& file);

/// Writes the model under the names of latent-diffusion (CompVis, Stability), as programs take it
/// that read one file: a text encoder in OpenCLIP's names, query, key and value fused, where the
/// U-Net's projections are linear (SD 2), else in transformers' (SD 1). The metadata say prediction
/// type and resolution (modelspec.…). Error(kInput) for a model that the layout cannot say.
void write_single_file(const SourceModel& source_model, const std::filesystem::path& file);

}  // namespace dd::convert
