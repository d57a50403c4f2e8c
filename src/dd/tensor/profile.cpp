// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/profile.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iomanip>
#include <ostream>
#include <utility>
#include <vector>

#include "dd/tensor/operator_flops.h"

namespace dd {
namespace {

constexpr std::size_t kRowsShown = 12;

// LibTorch takes plain functions as callbacks, so the profile in use has to be found from there.
std::atomic<Profile*> current{nullptr};
thread_local OpenOperators open_here;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::unique_ptr<at::ObserverContext> on_enter(const at::RecordFunction& call) {
  const char* name = call.name();
  const double flops = open_here.inside_counted() ? 0 : operator_flops(name, call.inputs());
  open_here.enter(name, flops, seconds_now());
  return nullptr;
}

void on_leave(const at::RecordFunction&, at::ObserverContext*) {
  OperatorCosts costs;
  open_here.leave(seconds_now(), costs);
  if (Profile* profile = current.load()) profile->add(costs);
}

void merge(const OperatorCosts& from, OperatorCosts& into) {
  for (const auto& [name, cost] : from) {
    OperatorCost& sum = into[name];
    sum.calls += cost.calls;
    sum.seconds += cost.seconds;
    sum.flops += cost.flops;
  }
}

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

void print_row(std::ostream& out, const std::string& name, const OperatorCost& cost, double whole,
               double peak) {
  out << "  " << std::left << std::setw(44) << name << std::right << std::setw(9) << cost.calls
      << std::setw(10) << std::setprecision(3) << cost.seconds << std::setw(8)
      << std::setprecision(1) << percent(cost.seconds, whole) << std::setw(12)
      << std::setprecision(3) << cost.flops / 1e9 << std::setw(8) << std::setprecision(1)
      << (cost.seconds > 0 ? percent(cost.flops / cost.seconds, peak) : 0) << '\n';
}

}  // namespace

Profile::Profile(Reporter& next) : next_(next), settled_at_(seconds_now()) {
  open_here = OpenOperators();
  current = this;
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(on_enter, on_leave)
                                      .needsInputs(true)
                                      .scopes({at::RecordScope::FUNCTION}));
  running_ = true;
}

Profile::~Profile() {
  stop();
}

void Profile::progress(const std::string& task, std::int64_t done, std::int64_t total,
                       const std::string& detail) {
  if (running_) settle(done > 0 || task == task_ ? task : began_ ? "between" : "start");
  task_ = task;
  next_.progress(task, done, total, detail);
}

void Profile::stop() {
  if (!running_) return;
  running_ = false;
  at::removeCallback(handle_);
  current = nullptr;
  settle("end");
}

void Profile::add(const OperatorCosts& costs) {
  const std::lock_guard lock(mutex_);
  merge(costs, pending_);
}

void Profile::settle(const std::string& stage) {
  began_ = true;
  OperatorCosts costs;
  {
    const std::lock_guard lock(mutex_);
    std::swap(costs, pending_);
  }
  merge(costs, stages_[stage]);
  const double now = seconds_now();
  wall_[stage] += now - settled_at_;
  settled_at_ = now;
}

void Profile::print(std::ostream& out, double peak) const {
  const auto flags = out.flags();
  out << std::fixed << "profile: measured peak " << std::setprecision(1) << peak / 1e9
      << " GFLOP/s (f32 matrix product)\n";
  for (const auto& [stage, costs] : stages_) {
    const OperatorCost total = total_of(costs);
    out << "profile: " << stage << ", " << std::setprecision(3) << wall_.at(stage)
        << " s by the clock, " << total.seconds << " s in operators\n  " << std::left
        << std::setw(44) << "operator" << std::right << std::setw(9) << "calls" << std::setw(10)
        << "self s" << std::setw(8) << "share%" << std::setw(12) << "GFLOP" << std::setw(8)
        << "peak%" << '\n';
    std::vector<std::pair<std::string, OperatorCost>> rows(costs.begin(), costs.end());
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
    OperatorCosts rest(
        rows.begin() + std::ssize(rows) -
            std::max<std::ptrdiff_t>(0, std::ssize(rows) - static_cast<std::ptrdiff_t>(kRowsShown)),
        rows.end());
    rows.resize(std::min(rows.size(), kRowsShown));
    for (const auto& [name, cost] : rows) print_row(out, name, cost, total.seconds, peak);
    if (!rest.empty()) print_row(out, "others", total_of(rest), total.seconds, peak);
    print_row(out, "all", total, total.seconds, peak);
  }
  out.flags(flags);
}

double measured_peak() {
  constexpr std::int64_t kSide = 1024;
  const at::NoGradGuard no_gradients;
  const at::Tensor a = at::ones({kSide, kSide}, at::kFloat);
  at::mm(a, a);
  double best = 0;
  const double started = seconds_now();
  do {
    const double before = seconds_now();
    at::mm(a, a);
    best = std::max(best, 2.0 * kSide * kSide * kSide / (seconds_now() - before));
  } while (seconds_now() - started < 0.5);
  return best;
}

}  // namespace dd
