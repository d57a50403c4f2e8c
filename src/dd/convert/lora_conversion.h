// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/core/context.h"

namespace dd::convert {

/// Writes a LoRA file under the names of "diffusers" or "kohya"; `dtype` as on the command line
/// (auto keeps each tensor's). Down and up stay the same numbers; each layer keeps its rank and
/// alpha, which are said where the format wants them. Says when an alpha had to be folded. Error
/// (kInput) names every kind of tensor that is not understood. Returns a line about the result.
std::string convert_lora(const std::filesystem::path& in, const std::string& format,
                         const std::string& dtype, const std::filesystem::path& out,
                         Reporter& report);

}  // namespace dd::convert
