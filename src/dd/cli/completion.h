// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

/// A script that completes commands, flags and choices in `shell`: "bash", "zsh" or "fish".
/// Error(kUsage) for another one.
std::string completion_script(const std::string& shell, const std::vector<Command>& commands);

}  // namespace dd::cli
