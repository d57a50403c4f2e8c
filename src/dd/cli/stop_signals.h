// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <thread>

#include "dd/core/context.h"

namespace dd::cli {

/// Keeps SIGINT and SIGTERM waiting until a StopSignals takes them. The first thing that the
/// program does, so that an early one is not lost on the way.
void hold_stop_signals();

/// Turns the first SIGINT or SIGTERM into a request to stop, and the second into an immediate exit
/// with status 130; a stop that was asked for in another way counts as neither. Made before any
/// other thread: the signals are blocked in all of them and taken by a thread of its own, which may
/// lock and print, unlike a signal handler.
class StopSignals {
 public:
  /// The token must outlive this object. `notices` says on standard error that a stop was heard.
  explicit StopSignals(CancelToken& token, bool notices = true);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void wait_for_signals(CancelToken& token);

  const bool notices_;
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace dd::cli
