// SPDX-License-Identifier: Apache-2.0
#include "dd/adapt/shot_latents.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "dd/image/resize.h"
#include "dd/tensor/image_tensor.h"

namespace dd::adapt {

ShotLatents::ShotLatents(std::shared_ptr<const Dataset> shots, const models::Vae& vae,
                         Placement placement, std::int64_t resolution)
    : shots_(std::move(shots)),
      vae_(vae),
      placement_(placement),
      resolution_(resolution),
      kept_(static_cast<std::size_t>(shots_->size())) {}

const EncodedShot& ShotLatents::encoded(std::int64_t shot, ImageCut cut) {
  Kept& kept = kept_.at(static_cast<std::size_t>(shot));
  if (kept.cuts.empty()) {
    const Image image = shots_->image(shot);
    kept.is_square = image.width == image.height;
    kept.cuts.resize(2 * kCropPositions);
  }
  if (kept.is_square) cut.position = 0;
  EncodedShot& place =
      kept.cuts[static_cast<std::size_t>(cut.position + (cut.mirrored ? kCropPositions : 0))];
  if (!place.mean.defined()) place = encode(shot, cut);
  return place;
}

std::vector<std::int64_t> ShotLatents::latent_shape(std::int64_t count) const {
  const std::int64_t side = resolution_ / vae_.config().factor();
  return {count, vae_.config().latent_channels, side, side};
}

EncodedShot ShotLatents::encode(std::int64_t shot, ImageCut cut) const {
  const int size = static_cast<int>(resolution_);
  // The reference trainers resize with a bilinear filter.
  const Image whole = resize_short_side(shots_->image(shot), size, ResizeFilter::kBilinear);
  const auto offset = [&](int length) {
    return static_cast<int>((length - size) * cut.position / (kCropPositions - 1));
  };
  Image square = crop(whole, offset(whole.width), offset(whole.height), size, size);
  if (cut.mirrored) square = flip_horizontal(square);
  const at::NoGradGuard no_grad;
  const at::Tensor pixels = images_to_tensor(std::span(&square, 1)) * 2 - 1;
  const models::Posterior posterior = vae_.encode(pixels.to(placement_.device));
  const auto ready = [](const at::Tensor& value) { return value.to(at::kCPU, at::kFloat); };
  return {ready(posterior.mean), ready(posterior.log_variance).mul(0.5).exp()};
}

}  // namespace dd::adapt
