// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dd {

/// What one operator cost.
struct OperatorCost {
  std::int64_t calls = 0;
  double seconds = 0;  ///< its own, without those of operators that it called
  double flops = 0;
};

/// The cost of a stage, by the operator's name.
using OperatorCosts = std::map<std::string, OperatorCost, std::less<>>;

/// Sums of all operators.
OperatorCost total_of(const OperatorCosts& costs);

/// Calls of operators that are open on one thread, one inside the other. An operator with FLOPs
/// takes the time of everything inside it, whatever the library splits it into: speed is FLOPs by
/// that time, and nothing counts twice.
class OpenOperators {
 public:
  /// At a time in seconds; calls come and go in the order of a stack.
  void enter(std::string_view name, double flops, double now);
  /// Adds what closed to `costs`.
  void leave(double now, OperatorCosts& costs);
  /// True inside an operator with FLOPs, where nothing more is counted.
  bool inside_counted() const;
  bool empty() const { return open_.empty(); }

 private:
  struct Call {
    std::string name;
    double flops;
    double started;
    double inside = 0;    ///< seconds of the calls within
    bool hidden = false;  ///< part of an operator with FLOPs
  };
  std::vector<Call> open_;
};

}  // namespace dd
