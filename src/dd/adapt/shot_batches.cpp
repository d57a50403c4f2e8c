// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/shot_batches.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "dd/core/seeds.h"
#include "dd/tensor/device.h"

namespace dd::adapt {

std::int64_t validation_cases(std::int64_t shots) {
  constexpr std::int64_t kFewest = 32;
  constexpr std::int64_t kMost = 64;
  return std::clamp(shots, kFewest, kMost);
}

ShotBatches::ShotBatches(ShotLatents& latents, std::vector<std::int64_t> train,
                         std::vector<std::int64_t> validation,
                         std::vector<std::int64_t> prompt_of_label,
                         const ShotBatchesOptions& options)
    : latents_(latents),
      train_(std::move(train)),
      validation_(std::move(validation)),
      prompt_of_label_(std::move(prompt_of_label)),
      options_(options),
      order_(static_cast<std::int64_t>(train_.size()), options.batch,
             mix_seed(options.seed, "adapt-order")) {}

DiffusionBatch ShotBatches::batch(std::int64_t step) {
  std::vector<std::int64_t> shots;
  std::vector<ImageCut> cuts;
  for (const auto& pick : order_.batch(step)) {
    const std::int64_t shot = train_[static_cast<std::size_t>(pick.index)];
    Random random(
        mix_seed(options_.seed, "adapt-cut",
                 {static_cast<std::uint64_t>(pick.index), static_cast<std::uint64_t>(pick.epoch)}));
    ImageCut cut = kCenterCut;
    if (options_.random_crop) cut.position = random.below(kCropPositions);
    cut.mirrored = options_.flip && random.chance(0.5);
    shots.push_back(shot);
    cuts.push_back(cut);
  }
  const auto count = static_cast<std::int64_t>(shots.size());
  const auto number = static_cast<std::uint64_t>(step);
  // One draw for both kinds of noise: first the posterior's, then the diffusion's.
  const at::Tensor noise = seeded_randn(latents_.latent_shape(2 * count),
                                        mix_seed(options_.seed, "adapt-noise", {number}));
  DiffusionBatch batch = assemble(shots, cuts, noise.narrow(0, 0, count));
  batch.noise_nchw = noise.narrow(0, count, count);
  Random random(mix_seed(options_.seed, "adapt-timesteps", {number}));
  std::vector<std::int64_t> timesteps;
  for (std::int64_t i = 0; i < count; ++i) timesteps.push_back(random.below(options_.timesteps));
  batch.timesteps = at::tensor(timesteps);
  return batch;
}

std::vector<DiffusionBatch> ShotBatches::validation() {
  const auto available = static_cast<std::int64_t>(validation_.size());
  if (available == 0) return {};
  const std::int64_t cases = validation_cases(available);
  // The timesteps are shuffled, or a class's shots, which are neighbours, would share a noise
  // level.
  const std::vector<std::int64_t> level =
      Random(mix_seed(options_.seed, "adapt-validation-timesteps")).permutation(cases);
  const at::Tensor noise =
      seeded_randn(latents_.latent_shape(cases), mix_seed(options_.seed, "adapt-validation-noise"));
  std::vector<DiffusionBatch> batches;
  for (std::int64_t begin = 0; begin < cases; begin += options_.batch) {
    const std::int64_t end = std::min(cases, begin + options_.batch);
    std::vector<std::int64_t> shots;
    std::vector<std::int64_t> timesteps;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t place = available > cases ? i * available / cases : i % available;
      shots.push_back(validation_[static_cast<std::size_t>(place)]);
      timesteps.push_back((2 * level[static_cast<std::size_t>(i)] + 1) * options_.timesteps /
                          (2 * cases));
    }
    batches.push_back(assemble(shots, std::vector<ImageCut>(shots.size(), kCenterCut), {}));
    batches.back().noise_nchw = noise.narrow(0, begin, end - begin);
    batches.back().timesteps = at::tensor(timesteps);
  }
  return batches;
}

DiffusionBatch ShotBatches::assemble(const std::vector<std::int64_t>& shots,
                                     const std::vector<ImageCut>& cuts, const at::Tensor& draw) {
  DiffusionBatch batch;
  std::vector<at::Tensor> means;
  std::vector<at::Tensor> deviations;
  for (std::size_t i = 0; i < shots.size(); ++i) {
    const EncodedShot& shot = latents_.encoded(shots[i], cuts[i]);
    means.push_back(shot.mean);
    deviations.push_back(shot.deviation);
    const std::int64_t label = latents_.shots().label(shots[i]);
    batch.prompts.push_back(prompt_of_label_[static_cast<std::size_t>(label)]);
  }
  at::Tensor latents = at::cat(means);
  if (draw.defined()) latents = latents + at::cat(deviations) * draw;
  batch.latents_nchw = latents * latents_.scaling_factor();
  return batch;
}

}  // namespace dd::adapt
