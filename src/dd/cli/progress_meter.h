// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace dd::cli {

/// Speed and time left of one task, from what it did in the last half minute; a task that was
/// resumed in the middle is therefore not credited with what it found done.
class ProgressMeter {
 public:
  /// `seconds` is any clock that only goes forward.
  void update(const std::string& task, std::int64_t done, double seconds);

  /// Units a second; 0 while unknown.
  double speed() const;

 private:
  struct Sample {
    double seconds;
    std::int64_t done;
  };
  std::string task_;
  std::deque<Sample> samples_;
};

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

/// "adapt 120/1500 (8 %), 4.2/s, 5 min 28 s left, loss 0.123"; `total` of 0 or less means unknown.
std::string progress_text(const std::string& task, std::int64_t done, std::int64_t total,
                          double speed, const std::string& detail);

}  // namespace dd::cli
