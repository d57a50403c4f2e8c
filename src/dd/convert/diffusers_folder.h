// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/convert/source_model.h"

namespace dd::convert {

/// Writes all of a diffusers folder but the weights: configurations, tokenizer, scheduler and
/// model_index.json. Those of the folder `source`, unchanged, if it is one. Returns what
/// write_diffusers_folder returns.
std::vector<std::string> write_descriptions(const SourceModel& source_model,
                                            const std::filesystem::path& source,
                                            const std::filesystem::path& folder);

/// Writes the model as diffusers' `save_pretrained` lays it out, under current names of files and
/// tensors. Tokenizer, scheduler and configurations are those of the folder `source`, unchanged, if
/// it is one. Returns what the folder had beside the model and was left out (safety_checker, …);
/// model_index.json says so.
std::vector<std::string> write_diffusers_folder(const SourceModel& source_model,
                                                const std::filesystem::path& source,
                                                const std::filesystem::path& folder);

}  // namespace dd::convert
