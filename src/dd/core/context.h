// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace dd {

/// Where a stage reports to. The library never prints: `cli` implements this on standard error,
/// tests collect it. All calls come from the thread that runs the stage.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A line worth reading once: what was loaded, what was assumed.
  virtual void info(const std::string& text) = 0;
  /// Something that the user should mend or know before trusting the result.
  virtual void warn(const std::string& text) = 0;
  /// `done` of `total` units of `task`; `detail` holds figures such as "loss 0.123". Called often:
  /// the receiver decides how much of it to show, and derives speed and time left.
  virtual void progress(const std::string& task, std::int64_t done, std::int64_t total,
                        const std::string& detail) = 0;
};

/// Set from a signal handler or another thread; polled by long loops.
class CancelToken {
 public:
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }
  /// Throws Error(kCancelled) when a stop was asked for.
  void check() const;
  /// Throws it because one was asked for elsewhere, as of another rank.
  [[noreturn]] static void stop();

 private:
  std::atomic<bool> requested_{false};
};

/// For work that is not to be stopped.
const CancelToken& never_stopped();

class Ranks;
Ranks& lone_rank();

/// What every stage gets from its caller. All of it outlives the stage.
struct Context {
  Reporter& report;
  const CancelToken& cancel;
  Ranks& ranks = lone_rank();  ///< the processes that do the stage together, see ranks.h
};

/// Swallows everything; for callers that do not care.
class NullReporter final : public Reporter {
 public:
  void info(const std::string&) override {}
  void warn(const std::string&) override {}
  void progress(const std::string&, std::int64_t, std::int64_t, const std::string&) override {}
};

}  // namespace dd
