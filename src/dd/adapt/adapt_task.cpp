// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>

namespace dd::adapt {
namespace {

DiffusionBatch rows_of(const DiffusionBatch& batch, std::int64_t begin, std::int64_t end) {
  return {batch.latents_nchw.slice(0, begin, end),
          batch.noise_nchw.slice(0, begin, end),
          batch.timesteps.slice(0, begin, end),
          {batch.prompts.begin() + begin, batch.prompts.begin() + end}};
}

}  // namespace

AdaptTask::AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
                     BatchSource& batches, std::int64_t parts)
    : model_(model),
      conditioner_(conditioner),
      batches_(batches),
      parts_(parts),
      schedule_(model.schedule, model.placement.device),
      validation_(batches.validation()) {}

at::Tensor AdaptTask::loss(std::int64_t step) {
  return loss_of(batches_.batch(step));
}

at::Tensor AdaptTask::part_of_loss(std::int64_t step, std::int64_t part) {
  if (parts_ == 1) return loss(step);
  if (part == 0) whole_ = batches_.batch(step);
  const std::int64_t rows = whole_.timesteps.size(0);
  const std::int64_t begin = rows * part / parts_;
  const std::int64_t end = rows * (part + 1) / parts_;
  const double share = static_cast<double>(end - begin) / static_cast<double>(rows);
  return loss_of(rows_of(whole_, begin, end)) * share;
}

std::optional<double> AdaptTask::validation_loss() {
  if (validation_.empty()) return std::nullopt;
  at::Tensor sum;
  std::int64_t count = 0;
  for (const DiffusionBatch& batch : validation_) {
    const std::int64_t size = batch.timesteps.size(0);
    const at::Tensor part = loss_of(batch).to(at::kDouble) * size;
    sum = sum.defined() ? sum + part : part;
    count += size;
  }
  return sum.item<double>() / static_cast<double>(count);
}

at::Tensor AdaptTask::loss_of(const DiffusionBatch& batch) const {
  const at::Device device = model_.placement.device;
  const at::Tensor latents = batch.latents_nchw.to(device);
  const at::Tensor noise = batch.noise_nchw.to(device);
  const at::Tensor timesteps = batch.timesteps.to(device);
  const at::Tensor noisy = schedule_.add_noise(latents, noise, timesteps);
  const at::Tensor prediction =
      model_.unet(noisy.to(model_.placement.dtype), timesteps, conditioner_(batch.prompts));
  return at::mse_loss(prediction.to(at::kFloat), schedule_.target(latents, noise, timesteps));
}

}  // namespace dd::adapt
