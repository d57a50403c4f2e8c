// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

namespace dd::cli {
namespace {

constexpr int kStoppedStatus = 130;

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void hold_stop_signals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::StopSignals(CancelToken& token, bool notices) : notices_(notices) {
  hold_stop_signals();
  thread_ = std::thread([this, &token] { wait_for_signals(token); });
}

StopSignals::~StopSignals() {
  closing_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // wakes sigwait
  thread_.join();
}

void StopSignals::wait_for_signals(CancelToken& token) {
  const sigset_t set = stop_set();
  // Not whether the token was requested: another rank's stop may have done that, and the signal
  // that reaches all ranks of a job, one after the other, is this one's first.
  bool heard = false;
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (closing_) return;
    if (heard) _exit(kStoppedStatus);
    heard = true;
    token.request();
    if (!notices_) continue;
    constexpr std::string_view kNotice = "\ndatadream: stopping; once more leaves at once\n";
    // Nothing can be done about a closed standard error.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kNotice.data(), kNotice.size());
  }
}

}  // namespace dd::cli
