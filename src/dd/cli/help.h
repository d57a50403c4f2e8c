// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/cli/command.h"
#include "dd/cli/field_text.h"

namespace dd::cli {

/// What `datadream --help` prints: the commands, a line each.
std::string program_help(const std::vector<Command>& commands);

/// What `datadream COMMAND --help` prints: usage, explanation, every option with its default.
std::string command_help(const Command& command);

/// The page docs/cli.md: the same for all commands, as Markdown.
std::string help_markdown(const std::vector<Command>& commands);

/// "datadream 0.1.0 (LibTorch 2.13.0, CPU)" and in a second line the file of that LibTorch.
std::string version_text();

// The parts of these texts, for other forms of the help.

/// The common options as one command sees them, with --config; null = as all do.
std::vector<FieldText> common_fields(const Command* command);

/// "datadream adapt [OPTION]… --out DIR".
std::string usage(const Command& command);

/// What exit statuses and output streams mean.
extern const char* const kStatusText;

}  // namespace dd::cli
