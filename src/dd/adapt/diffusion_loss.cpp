// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/diffusion_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>

#include "dd/nn/recompute.h"

namespace dd::adapt {

DiffusionLoss::DiffusionLoss(const models::StableDiffusion& model, const Conditioner& conditioner,
                             bool recompute)
    : model_(model),
      conditioner_(conditioner),
      recompute_(recompute),
      schedule_(model.schedule, model.placement.device) {}

at::Tensor DiffusionLoss::mean(const DiffusionBatch& batch) const {
  const auto [prediction, target] = predict(batch);
  return at::mse_loss(prediction, target);
}

at::Tensor DiffusionLoss::means(const DiffusionBatch& batch, std::int64_t members) const {
  const auto [prediction, target] = predict(batch);
  return (prediction - target).square().reshape({members, -1}).mean(1);
}

std::pair<at::Tensor, at::Tensor> DiffusionLoss::predict(const DiffusionBatch& batch) const {
  const at::Device device = model_.placement.device;
  const at::Tensor latents = batch.latents_nchw.to(device);
  const at::Tensor noise = batch.noise_nchw.to(device);
  const at::Tensor timesteps = batch.timesteps.to(device);
  const at::Tensor noisy = schedule_.add_noise(latents, noise, timesteps);
  const nn::RecomputeGuard recompute(recompute_);
  const at::Tensor prediction =
      model_.unet(noisy.to(model_.placement.dtype), timesteps, conditioner_(batch.prompts));
  return {prediction.to(at::kFloat), schedule_.target(latents, noise, timesteps)};
}

}  // namespace dd::adapt
