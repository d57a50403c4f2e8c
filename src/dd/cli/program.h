// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

/// Runs one command line (without the program's name) and returns the exit status: 0 done, 1 the
/// work failed, 2 command line, configuration or input are wrong, 130 stopped by the user. Results
/// go to `results`, progress and the one line of an error to `messages`. Throws nothing.
int run_program(const std::vector<std::string>& arguments, const std::vector<Command>& commands,
                std::ostream& results, std::ostream& messages);

/// Fills both option structs from a command's arguments and the configuration file they name, and
/// checks them. Error(kUsage) says what is wrong, with the nearest name where one is unknown.
void parse_command(const Command& command, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& command_names, CommonOptions& common);

}  // namespace dd::cli
