// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

// To add a command: write cmd_<name>.cpp with `Command <name>_command()` in it, and name it here,
// in commands.cpp and in CMakeLists.txt. Help, configuration file and docs/cli.md follow from it.

Command run_command();
Command adapt_command();
Command align_command();
Command convert_command();
Command data_check_command();
Command evaluate_command();
Command generate_command();
Command inspect_command();
Command pretrain_command();
Command sweep_command();
Command train_command();

/// All commands, in the order in which the help lists them.
std::vector<Command> all_commands();

}  // namespace dd::cli
