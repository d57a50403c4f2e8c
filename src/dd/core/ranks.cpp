// SPDX-License-Identifier: Apache-2.0
#include "dd/core/ranks.h"

#include <algorithm>
#include <deque>

namespace dd {
namespace {

class LoneRank final : public Ranks {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t count() const override { return 1; }
  void meet() override {}
  std::string from_first(std::string bytes) override { return bytes; }
  std::vector<std::string> gather(std::string bytes) override { return {std::move(bytes)}; }
  void sum(std::span<double>) override {}
  void begin_sum(std::span<const float> values) override {
    sums_.emplace_back(values.begin(), values.end());
  }
  void advance_sums() override {}
  void finish_sum(std::span<float> into) override {
    std::ranges::copy(sums_.front(), into.begin());
    sums_.pop_front();
  }
  void restart_queue() override { next_ = 0; }
  std::int64_t take() override { return next_++; }
  bool share_stop(bool asked_here) override { return asked_here; }
  Outcome settle(const Outcome& mine) override { return mine; }

 private:
  std::int64_t next_ = 0;
  std::deque<std::vector<float>> sums_;
};

}  // namespace

Ranks& lone_rank() {
  // A thread of its own, if a caller has several, shares no queue with the others.
  thread_local LoneRank lone;
  return lone;
}

void share_out(Ranks& ranks, std::int64_t count, const std::function<void(std::int64_t)>& work) {
  ranks.restart_queue();
  for (std::int64_t i = ranks.take(); i < count; i = ranks.take()) work(i);
}

std::vector<std::int64_t> cut_into_runs(const std::vector<std::int64_t>& group_ends,
                                        std::int64_t ranks) {
  std::vector<std::int64_t> runs;
  std::int64_t position = 0;
  for (const std::int64_t end : group_ends) {
    while (position < end) {
      const std::int64_t left = group_ends.back() - position;
      const std::int64_t length = std::max<std::int64_t>(1, left / (2 * ranks));
      position = std::min(end, position + length);
      runs.push_back(position);
    }
  }
  return runs;
}

}  // namespace dd
