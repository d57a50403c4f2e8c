// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "dd/core/ranks.h"

namespace dd::test {

/// Rank 0 of two, of which the other is not there: for code that asks for the number of ranks, and
/// for tests that play the other one's part in what they override.
class AbsentRanks : public Ranks {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t count() const override { return 2; }
  void meet() override { fail_alone(); }
  std::string from_first(std::string) override { fail_alone(); }
  std::vector<std::string> gather(std::string) override { fail_alone(); }
  void sum(std::span<double>) override { fail_alone(); }
  void begin_sum(std::span<const float>) override { fail_alone(); }
  void advance_sums() override { fail_alone(); }
  void finish_sum(std::span<float>) override { fail_alone(); }
  void restart_queue() override { fail_alone(); }
  std::int64_t take() override { fail_alone(); }
  bool share_stop(bool) override { fail_alone(); }
  Outcome settle(const Outcome& mine) override { return mine; }

 private:
  [[noreturn]] static void fail_alone() { throw std::logic_error("there is no second rank"); }
};

}  // namespace dd::test
