// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/group_task.h"

#include <ATen/TensorOperators.h>

#include "dd/core/error.h"

namespace dd::adapt {

GroupTask::GroupTask(const models::StableDiffusion& model, const Conditioner& conditioner,
                     const std::vector<BatchSource*>& sources, const StepOptions& options,
                     const CancelToken& cancel)
    : loss_(model, conditioner, options.recompute),
      sources_(sources),
      parts_(options.parts),
      cancel_(cancel) {
  std::vector<std::vector<DiffusionBatch>> alone;
  for (BatchSource* source : sources_) alone.push_back(source->validation());
  for (std::size_t i = 0; i < alone.front().size(); ++i) {
    std::vector<DiffusionBatch> together;
    for (const std::vector<DiffusionBatch>& batches : alone) {
      ensure(batches.size() == alone.front().size() && batches[i].rows() == alone.front()[i].rows(),
             "classes that are trained together have as many validation cases");
      together.push_back(batches[i]);
    }
    validation_.push_back(joined(together));
  }
}

at::Tensor GroupTask::part_of_losses(std::int64_t step, std::int64_t part) {
  if (part == 0) {
    whole_.clear();
    for (BatchSource* source : sources_) whole_.push_back(source->batch(step));
  }
  const BatchPart rows = part_of(whole_.front().rows(), part, parts_);
  std::vector<DiffusionBatch> parts;
  for (const DiffusionBatch& batch : whole_) {
    parts.push_back(rows_of(batch, rows.begin, rows.end));
  }
  return loss_.means(joined(parts), members()) * rows.share;
}

std::vector<double> GroupTask::validation_losses() {
  if (validation_.empty()) return {};
  at::Tensor sums;
  std::int64_t count = 0;
  for (const DiffusionBatch& batch : validation_) {
    cancel_.check();
    const std::int64_t rows = batch.rows() / members();
    const at::Tensor part = loss_.means(batch, members()).to(at::kDouble) * rows;
    sums = sums.defined() ? sums + part : part;
    count += rows;
  }
  const at::Tensor means = (sums / count).to(at::kCPU).contiguous();
  const auto* first = means.const_data_ptr<double>();
  return {first, first + means.numel()};
}

}  // namespace dd::adapt
