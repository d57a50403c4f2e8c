// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dd/core/seeds.h"
#include "dd/image/image.h"

namespace dd {

/// The operations of RandAugment (Cubuk et al., arXiv 1909.13719) in torchvision's order.
enum class RandOp : std::int8_t {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColour,
  kContrast,
  kSharpness,
  kPosterise,
  kSolarise,
  kAutoContrast,
  kEqualise
};
inline constexpr int kRandOps = 14;

/// Magnitudes run from 0 to this: torchvision's 31 steps.
inline constexpr int kLargestMagnitude = 30;

/// One operation with torchvision's meaning of the magnitudes: at 30 it shears by 0.3, moves by
/// 150/331 of the side, turns by 30 degrees, changes brightness, colour, contrast and sharpness by
/// the factor 1 ± 0.9, keeps 4 bits and inverts all values. `negative` turns the sign where there
/// is one. Pixels are the nearest ones, black where the picture ends.
Image apply(const Image& image, RandOp operation, int magnitude, bool negative);

/// `operations` of them one after the other, each drawn from all, with a sign where there is one.
Image rand_augment(const Image& image, std::int64_t operations, int magnitude, Random& random);

}  // namespace dd
