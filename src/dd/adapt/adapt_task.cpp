// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_task.h"

#include <ATen/TensorOperators.h>

#include <array>

namespace dd::adapt {

AdaptTask::AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
                     BatchSource& batches, const StepOptions& options, Ranks& ranks,
                     const CancelToken& cancel)
    : loss_(model, conditioner, options.recompute),
      batches_(batches),
      parts_(options.parts),
      ranks_(ranks),
      cancel_(cancel),
      validation_(batches.validation()) {}

at::Tensor AdaptTask::loss(std::int64_t step) {
  return loss_.mean(batches_.batch(step));
}

at::Tensor AdaptTask::part_of_loss(std::int64_t step, std::int64_t part) {
  if (parts_ == 1) return loss(step);
  // Another rank may have the first parts.
  if (whole_step_ != step) whole_ = batches_.batch(step);
  whole_step_ = step;
  const BatchPart rows = part_of(whole_.rows(), part, parts_);
  return loss_.mean(rows_of(whole_, rows.begin, rows.end)) * rows.share;
}

std::optional<double> AdaptTask::validation_loss(std::int64_t) {
  if (validation_.empty()) return std::nullopt;
  std::array<double, 2> sum_and_count{};
  for (auto i = static_cast<std::size_t>(ranks_.rank()); i < validation_.size();
       i += static_cast<std::size_t>(ranks_.count())) {
    cancel_.check();
    const auto size = static_cast<double>(validation_[i].rows());
    sum_and_count[0] += loss_.mean(validation_[i]).item<double>() * size;
    sum_and_count[1] += size;
  }
  ranks_.sum(sum_and_count);
  return sum_and_count[0] / sum_and_count[1];
}

}  // namespace dd::adapt
