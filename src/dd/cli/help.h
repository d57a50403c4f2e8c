// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

/// What `datadream --help` prints: the commands, a line each.
std::string program_help(const std::vector<Command>& commands);

/// What `datadream COMMAND --help` prints: usage, explanation, every option with its default.
std::string command_help(const Command& command);

/// The page docs/cli.md: the same for all commands, as Markdown.
std::string help_markdown(const std::vector<Command>& commands);

/// "datadream 0.1.0 (LibTorch 2.13.0)".
std::string version_text();

}  // namespace dd::cli
