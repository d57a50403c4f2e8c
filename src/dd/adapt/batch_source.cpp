// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/batch_source.h"

#include <ATen/ops/cat.h>

namespace dd::adapt {

DiffusionBatch rows_of(const DiffusionBatch& batch, std::int64_t begin, std::int64_t end) {
  return {batch.latents_nchw.slice(0, begin, end),
          batch.noise_nchw.slice(0, begin, end),
          batch.timesteps.slice(0, begin, end),
          {batch.prompts.begin() + begin, batch.prompts.begin() + end}};
}

DiffusionBatch joined(std::span<const DiffusionBatch> batches) {
  const auto all = [&](at::Tensor DiffusionBatch::*field) {
    std::vector<at::Tensor> tensors;
    for (const DiffusionBatch& batch : batches) tensors.push_back(batch.*field);
    return at::cat(tensors);
  };
  DiffusionBatch joint{all(&DiffusionBatch::latents_nchw),
                       all(&DiffusionBatch::noise_nchw),
                       all(&DiffusionBatch::timesteps),
                       {}};
  for (const DiffusionBatch& batch : batches) {
    joint.prompts.insert(joint.prompts.end(), batch.prompts.begin(), batch.prompts.end());
  }
  return joint;
}

BatchPart part_of(std::int64_t rows, std::int64_t part, std::int64_t parts) {
  const std::int64_t begin = rows * part / parts;
  const std::int64_t end = rows * (part + 1) / parts;
  return {begin, end, static_cast<double>(end - begin) / static_cast<double>(rows)};
}

}  // namespace dd::adapt
