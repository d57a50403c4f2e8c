// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "dd/cli/commands.h"
#include "dd/cli/fault_signals.h"
#include "dd/cli/program.h"

int main(int count, char** words) {
  dd::cli::explain_fault_signals();
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return dd::cli::run_program(arguments, dd::cli::all_commands(), std::cout, std::cerr);
}
