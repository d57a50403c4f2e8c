// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/fault_signals.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace dd::cli {
namespace {

/// Only what a signal handler may do: no lock, no allocation.
void on_bus_error(int signal, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR && info->si_code != BUS_OBJERR) {
    // A fault of ours, not of a file: let it happen again, and be seen as such.
    std::signal(signal, SIG_DFL);
    return;
  }
  constexpr std::string_view kText =
      "datadream: error: a file that is being read was cut off, or its disk failed; put the "
      "model's "
      "files back whole, then run the same command again\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  _exit(1);
}

}  // namespace

void explain_fault_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace dd::cli
