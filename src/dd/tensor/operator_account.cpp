// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/operator_account.h"

namespace dd {

OperatorCost total_of(const OperatorCosts& costs) {
  OperatorCost total;
  for (const auto& [name, cost] : costs) {
    total.calls += cost.calls;
    total.seconds += cost.seconds;
    total.flops += cost.flops;
  }
  return total;
}

bool OpenOperators::inside_counted() const {
  return !open_.empty() && (open_.back().hidden || open_.back().flops > 0);
}

void OpenOperators::enter(std::string_view name, double flops, double now) {
  const bool hidden = inside_counted();
  open_.push_back({.name = std::string(name), .flops = flops, .started = now, .hidden = hidden});
}

void OpenOperators::leave(double now, OperatorCosts& costs) {
  if (open_.empty()) return;
  const Call call = std::move(open_.back());
  open_.pop_back();
  if (call.hidden) return;
  const double took = now - call.started;
  OperatorCost& cost = costs[call.name];
  cost.calls += 1;
  cost.seconds += took - call.inside;
  cost.flops += call.flops;
  if (!open_.empty()) open_.back().inside += took;
}

}  // namespace dd
