// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "dd/align/options.h"
#include "dd/core/context.h"
#include "dd/image/image.h"
#include "dd/tensor/device.h"

namespace dd::align {

/// Turns images into the features that they are compared by.
class FeatureModel {
 public:
  virtual ~FeatureModel() = default;

  /// Float32 [B, d] on the CPU. `threads` resize the images. A row depends on its image alone, up
  /// to the rounding of products in other batches.
  virtual at::Tensor features(std::span<const Image> images, std::int64_t threads) const = 0;
  /// d.
  virtual std::int64_t width() const = 0;
  /// What no file says and was taken for granted; a warning where not empty.
  virtual std::string assumed() const { return ""; }
};

/// The model that `options.features` names:
/// - clip: features as projected, not at unit length, after the CLIP's own preprocessing;
/// - dinov2: the class token after the last norm, after the folder's preprocessor_config.json, or
///   without one, short side to 256, middle square of 224, ImageNet's mean and deviation;
/// - inception: the 2048 pooled features, after clean-fid's resizing to 299 x 299 (bicubic as PIL
///   has it, in floats, the shape not kept), in float32 whatever the placement.
/// Error(kInput) names a missing or damaged file.
std::unique_ptr<FeatureModel> load_feature_model(const AlignOptions& options, Placement placement);

/// The folder or file of that model.
const std::filesystem::path& feature_model_path(const AlignOptions& options);

/// Tells models apart that would give other features; see io/fingerprint.h. Error(kInput) when the
/// model is not there.
std::string feature_fingerprint(const AlignOptions& options);

}  // namespace dd::align
