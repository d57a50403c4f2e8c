// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "dd/data/dataset.h"
#include "dd/models/vae.h"
#include "dd/tensor/device.h"

namespace dd::adapt {

/// How an image is cut before it is encoded.
struct ImageCut {
  std::int64_t position = 0;  ///< of the square along the long side, 0 … kCropPositions − 1
  bool mirrored = false;
};

/// Random crops are taken from so many evenly spread places, so that what was encoded can be kept.
inline constexpr std::int64_t kCropPositions = 5;
inline constexpr ImageCut kCenterCut{.position = kCropPositions / 2};

/// What the autoencoder knows of one cut: mean and deviation [1, C, h, w], not scaled; float32,
/// CPU.
struct EncodedShot {
  at::Tensor mean;
  at::Tensor deviation;
};

/// The shots in latent space. A cut is encoded when it is first asked for, alone, so that its
/// numbers do not depend on what came before, and kept.
class ShotLatents {
 public:
  /// Images are resized so that their short side has `resolution` pixels. The VAE must outlive
  /// this.
  ShotLatents(std::shared_ptr<const Dataset> shots, const models::Vae& vae, Placement placement,
              std::int64_t resolution);

  const EncodedShot& encoded(std::int64_t shot, ImageCut cut);
  const Dataset& shots() const { return *shots_; }
  double scaling_factor() const { return vae_.config().scaling_factor; }
  std::vector<std::int64_t> latent_shape(std::int64_t count) const;  ///< [count, C, h, w]

 private:
  struct Kept {
    bool is_square = false;         ///< then all positions are one
    std::vector<EncodedShot> cuts;  ///< by position, mirrored ones behind; empty = never asked for
  };
  EncodedShot encode(std::int64_t shot, ImageCut cut) const;

  std::shared_ptr<const Dataset> shots_;
  const models::Vae& vae_;
  Placement placement_;
  std::int64_t resolution_;
  std::vector<Kept> kept_;  ///< by shot
};

}  // namespace dd::adapt
