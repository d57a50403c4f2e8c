// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>

namespace dd::adapt {

AdaptTask::AdaptTask(const models::StableDiffusion& model, const Conditioner& conditioner,
                     BatchSource& batches)
    : model_(model),
      conditioner_(conditioner),
      batches_(batches),
      schedule_(model.schedule, model.placement.device),
      validation_(batches.validation()) {}

at::Tensor AdaptTask::loss(std::int64_t step) {
  return loss_of(batches_.batch(step));
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
