// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dd/core/json.h"

namespace dd::models {

/// The `model_index.json` of a diffusers folder with the five parts that this project reads and
/// writes, and nothing else. `scheduler` is the class name in its scheduler_config.json.
Json pipeline_index(const std::string& scheduler);

}  // namespace dd::models
