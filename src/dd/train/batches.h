// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace dd::train {

/// Which samples a step sees: epochs of shuffled indices one after the other, so that every sample
/// comes equally often. The batch of a step follows from (seed, step) alone.
class BatchOrder {
 public:
  BatchOrder(std::int64_t count, std::int64_t batch, std::uint64_t seed);

  /// A sample and how often it was seen before.
  struct Pick {
    std::int64_t index;
    std::int64_t epoch;
  };
  std::vector<Pick> batch(std::int64_t step);

 private:
  std::int64_t count_;
  std::int64_t batch_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;  ///< of `order_`
  std::vector<std::int64_t> order_;
};

}  // namespace dd::train
