// SPDX-License-Identifier: Apache-2.0
#include "dd/train/batches.h"

#include "dd/core/error.h"
#include "dd/core/seeds.h"

namespace dd::train {

BatchOrder::BatchOrder(std::int64_t count, std::int64_t batch, std::uint64_t seed)
    : count_(count), batch_(batch), seed_(seed) {
  ensure(count > 0 && batch > 0, "a batch order needs samples");
}

std::vector<BatchOrder::Pick> BatchOrder::batch(std::int64_t step) {
  std::vector<Pick> picks;
  for (std::int64_t place = step * batch_; place < (step + 1) * batch_; ++place) {
    const std::int64_t epoch = place / count_;
    if (epoch != epoch_) {
      order_ =
          Random(mix_seed(seed_, "epoch", {static_cast<std::uint64_t>(epoch)})).permutation(count_);
      epoch_ = epoch;
    }
    picks.push_back({order_[static_cast<std::size_t>(place % count_)], epoch});
  }
  return picks;
}

}  // namespace dd::train
