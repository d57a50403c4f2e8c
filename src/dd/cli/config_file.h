// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/common_options.h"
#include "dd/core/fields.h"

namespace dd::cli {

/// Takes options from a TOML file: keys at the top are common options or those of `command`, and a
/// table named like a command holds that command's. Tables of the other `commands` are passed over,
/// so that one file can serve a whole chain. Error(kInput) when the file cannot be read,
/// Error(kUsage) names the place of a syntax error, or an unknown key together with the nearest
/// known one.
void read_config(const std::filesystem::path& file, const std::string& command,
                 const std::vector<std::string>& commands, CommonOptions& common, Options& options);

/// The effective options as a text that read_config takes.
std::string config_text(const std::string& command, const CommonOptions& common,
                        const Options& options);

}  // namespace dd::cli
