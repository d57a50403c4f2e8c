// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "dd/cli/commands.h"
#include "dd/cli/fault_signals.h"
#include "dd/cli/program.h"
#include "dd/cli/stop_signals.h"

namespace {

void hold_stop_signals_early(int, char**, char**) {
  dd::cli::hold_stop_signals();
}

/// The system calls this before the libraries set themselves up. LibTorch's take some tenths of a
/// second for it, in which a signal would end the program with another status than 130.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*before_libraries)(int, char**, char**) = hold_stop_signals_early;

}  // namespace

int main(int count, char** words) {
  dd::cli::explain_fault_signals();
  const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
  return dd::cli::run_program(arguments, dd::cli::all_commands(), std::cout, std::cerr);
}
