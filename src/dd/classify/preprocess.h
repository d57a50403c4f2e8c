// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <span>

#include "dd/image/resize.h"
#include "dd/tensor/device.h"

namespace dd::classify {

/// How pictures become the pixels that CLIP takes: short side to `resize_to` as PIL resizes, middle
/// square of `size`, then (value − mean) / std by channel. The defaults are OpenAI's.
struct Preprocess {
  int size = 224;
  int resize_to = 224;
  bool squash = false;  ///< both sides to `resize_to` instead: the shape is not kept
  ResizeFilter filter = ResizeFilter::kBicubic;
  std::array<double, 3> mean{0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> std{0.26862954, 0.26130258, 0.27577711};

  /// Reads preprocessor_config.json in the spellings of transformers 4 and 5, or what stands of it
  /// in transformers 5's processor_config.json or OpenCLIP's open_clip_config.json; `path` is the
  /// folder, or a weights file beside them. Without any of the three, OpenAI's values at
  /// `model_size`. Error(kInput) when it is damaged, crops to another size than the model's, or
  /// asks for steps that CLIP does not have.
  static Preprocess load(const std::filesystem::path& path, std::int64_t model_size);

  /// Resized and cut, still 8 bits.
  Image fit(const Image& image) const;
  /// Fitted images as normalised [B, 3, size, size].
  at::Tensor pixels(std::span<const Image> fitted, Placement placement) const;
};

}  // namespace dd::classify
