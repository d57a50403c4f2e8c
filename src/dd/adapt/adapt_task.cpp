// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/adapt_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>

#include <array>

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
                     BatchSource& batches, std::int64_t parts, Ranks& ranks)
    : model_(model),
      conditioner_(conditioner),
      batches_(batches),
      parts_(parts),
      ranks_(ranks),
      schedule_(model.schedule, model.placement.device),
      validation_(batches.validation()) {}

at::Tensor AdaptTask::loss(std::int64_t step) {
  return loss_of(batches_.batch(step));
}

at::Tensor AdaptTask::part_of_loss(std::int64_t step, std::int64_t part) {
  if (parts_ == 1) return loss(step);
  // Another rank may have the first parts.
  if (whole_step_ != step) whole_ = batches_.batch(step);
  whole_step_ = step;
  const std::int64_t rows = whole_.timesteps.size(0);
  const std::int64_t begin = rows * part / parts_;
  const std::int64_t end = rows * (part + 1) / parts_;
  const double share = static_cast<double>(end - begin) / static_cast<double>(rows);
  return loss_of(rows_of(whole_, begin, end)) * share;
}

std::optional<double> AdaptTask::validation_loss() {
  if (validation_.empty()) return std::nullopt;
  std::array<double, 2> sum_and_count{};
  for (auto i = static_cast<std::size_t>(ranks_.rank()); i < validation_.size();
       i += static_cast<std::size_t>(ranks_.count())) {
    const auto size = static_cast<double>(validation_[i].timesteps.size(0));
    sum_and_count[0] += loss_of(validation_[i]).item<double>() * size;
    sum_and_count[1] += size;
  }
  ranks_.sum(sum_and_count);
  return sum_and_count[0] / sum_and_count[1];
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
