// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_task.h"

#include <ATen/TensorOperators.h>

namespace dd::adapt {

AdaptTask::AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
                     BatchSource& batches, const StepOptions& options)
    : loss_(model, conditioner, options.recompute),
      batches_(batches),
      parts_(options.parts),
      validation_(batches.validation()) {}

at::Tensor AdaptTask::loss(std::int64_t step) {
  return loss_.mean(batches_.batch(step));
}

at::Tensor AdaptTask::part_of_loss(std::int64_t step, std::int64_t part) {
  if (parts_ == 1) return loss(step);
  if (part == 0) whole_ = batches_.batch(step);
  const BatchPart rows = part_of(whole_.rows(), part, parts_);
  return loss_.mean(rows_of(whole_, rows.begin, rows.end)) * rows.share;
}

std::optional<double> AdaptTask::validation_loss() {
  if (validation_.empty()) return std::nullopt;
  at::Tensor sum;
  std::int64_t count = 0;
  for (const DiffusionBatch& batch : validation_) {
    const at::Tensor part = loss_.mean(batch).to(at::kDouble) * batch.rows();
    sum = sum.defined() ? sum + part : part;
    count += batch.rows();
  }
  return sum.item<double>() / static_cast<double>(count);
}

}  // namespace dd::adapt
