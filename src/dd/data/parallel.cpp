// SPDX-License-Identifier: Apache-2.0
#include "dd/data/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dd {
namespace {

class Pool {
 public:
  Pool(std::int64_t count, const std::function<void(std::int64_t)>& work)
      : count_(count), work_(work) {}

  // Body of a worker thread. Indices are taken in order, so that after a failure every lower index
  // has been taken too, and the lowest failure is known once the workers have ended.
  void run() {
    while (!stop_.load()) {
      const std::int64_t index = next_.fetch_add(1);
      if (index >= count_) break;
      try {
        work_(index);
        done_.fetch_add(1);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_ || index < failed_index_) {
          failure_ = std::current_exception();
          failed_index_ = index;
        }
        stop_.store(true);
      }
    }
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }

  // True when all `threads` workers have ended; waits for a moment otherwise.
  bool wait(std::int64_t threads) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(100),
                             [&] { return ended_ == threads; });
  }

  void stop() { stop_.store(true); }
  std::int64_t done() const { return done_.load(); }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::int64_t count_;
  const std::function<void(std::int64_t)>& work_;
  std::atomic<std::int64_t> next_{0};
  std::atomic<std::int64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t ended_ = 0;
  std::exception_ptr failure_;
  std::int64_t failed_index_ = 0;
};

}  // namespace

void for_each_parallel(std::int64_t count, std::int64_t threads, const Context& context,
                       const std::string& task, const std::function<void(std::int64_t)>& work) {
  Pool pool(count, work);
  threads = std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(count, 1));
  {
    std::vector<std::jthread> workers;
    for (std::int64_t i = 0; i < threads; ++i) workers.emplace_back([&pool] { pool.run(); });
    while (!pool.wait(threads)) {
      context.report.progress(task, pool.done(), count, "");
      if (context.cancel.requested()) pool.stop();
    }
  }
  pool.rethrow();
  context.cancel.check();
  context.report.progress(task, count, count, "");
}

std::int64_t thread_count(std::int64_t threads) {
  if (threads > 0) return threads;
  return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
}

}  // namespace dd
