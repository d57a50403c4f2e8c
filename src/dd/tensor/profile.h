// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <mutex>
#include <string>

#include "dd/core/context.h"
#include "dd/tensor/operator_account.h"

namespace dd {

/// Where the time of a command goes, by stage and by ATen operator (`--profile`).
///
/// Stages are the tasks that the command reports progress of: what ran since the last report
/// belongs to the task of the next one, but for a task's first report that says nothing was done
/// yet: what came before that, loading say, belongs to "start" or "between". Everything is passed
/// on to the next reporter. One profile at a time in a process; while none exists, LibTorch runs as
/// it does without any.
///
/// On CUDA, times are those of launching: kernels run on by themselves.
class Profile final : public Reporter {
 public:
  /// Starts to measure; `next` must outlive it.
  explicit Profile(Reporter& next);
  ~Profile() override;
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  void info(const std::string& text) override { next_.info(text); }
  void warn(const std::string& text) override { next_.warn(text); }
  void progress(const std::string& task, std::int64_t done, std::int64_t total,
                const std::string& detail) override;

  /// Ends measuring; what was not reported yet belongs to "end".
  void stop();
  /// A table a stage, dearest operator first; `peak` in FLOP/s, from measured_peak.
  void print(std::ostream& out, double peak) const;

  const std::map<std::string, OperatorCosts>& stages() const { return stages_; }

  /// For the callbacks of LibTorch, from any thread.
  void add(const OperatorCosts& costs);

 private:
  void settle(const std::string& stage);

  Reporter& next_;
  std::uint64_t handle_ = 0;
  bool running_ = false;
  bool began_ = false;
  std::string task_;  ///< of the last report
  double settled_at_ = 0;
  std::mutex mutex_;  ///< of pending_
  OperatorCosts pending_;
  std::map<std::string, OperatorCosts> stages_;
  std::map<std::string, double> wall_;  ///< seconds by the clock
};

/// FLOP/s of a product of 1024 x 1024 matrices of f32 on the CPU, with the threads in use now: the
/// best of what fits in half a second.
double measured_peak();

}  // namespace dd
