// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/progress_meter.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "dd/core/error.h"

namespace dd::cli {
namespace {

constexpr double kWindowSeconds = 30;

std::string speed_text(double speed) {
  // Slow work is easier to imagine as seconds a unit.
  const bool slow = speed < 0.5;
  std::array<char, 48> text{};
  const double figure = slow ? 1 / speed : speed;
  std::snprintf(text.data(), text.size(), figure >= 100 ? "%.0f%s" : "%.1f%s", figure,
                slow ? " s each" : "/s");
  return text.data();
}

}  // namespace

void ProgressMeter::update(const std::string& task, std::int64_t done, double seconds) {
  if (task != task_ || (!samples_.empty() && done < samples_.back().done)) {
    samples_.clear();
    task_ = task;
  }
  samples_.push_back({seconds, done});
  while (samples_.size() > 2 && seconds - samples_[1].seconds > kWindowSeconds) {
    samples_.pop_front();
  }
}

double ProgressMeter::speed() const {
  if (samples_.size() < 2) return 0;
  const double seconds = samples_.back().seconds - samples_.front().seconds;
  const auto done = static_cast<double>(samples_.back().done - samples_.front().done);
  return seconds > 0 ? done / seconds : 0;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return cat(whole, " s");
  if (whole < 3600) return cat(whole / 60, " min ", whole % 60, " s");
  return cat(whole / 3600, " h ", whole % 3600 / 60, " min");
}

std::string progress_text(const std::string& task, std::int64_t done, std::int64_t total,
                          double speed, const std::string& detail) {
  std::string text = cat(task, " ", done);
  if (total > 0) text += cat("/", total, " (", done * 100 / total, " %)");
  if (speed > 0) {
    text += ", " + speed_text(speed);
    if (total > done) {
      text += ", " + duration_text(static_cast<double>(total - done) / speed) + " left";
    }
  }
  return detail.empty() ? text : text + ", " + detail;
}

}  // namespace dd::cli
