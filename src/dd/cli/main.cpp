// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "dd/cli/commands.h"
#include "dd/cli/program.h"

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return dd::cli::run_program(arguments, dd::cli::all_commands(), std::cout, std::cerr);
}
