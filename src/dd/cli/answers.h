// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

std::vector<std::string> command_names(const std::vector<Command>& commands);

struct FoundCommand {
  const Command& command;
  std::ptrdiff_t words;  ///< of its name
};

/// The command that the first words name. Error(kUsage) says which name is nearest.
FoundCommand find_command(const std::vector<std::string>& arguments,
                          const std::vector<Command>& commands);

/// Whether the command line asks for nothing but what the program says of itself.
bool asks_for_answer(const std::vector<std::string>& arguments);

/// That: help, version or completions. Error(kUsage) for a command or a shell that is not there.
std::string answer(const std::vector<std::string>& arguments, const std::vector<Command>& commands);

}  // namespace dd::cli
