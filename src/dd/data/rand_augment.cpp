// SPDX-License-Identifier: Apache-2.0
#include "dd/data/rand_augment.h"

#include <cmath>

#include "dd/core/error.h"
#include "dd/data/affine.h"
#include "dd/data/colour_ops.h"

namespace dd {
namespace {

// Rounded to single precision, as torch.linspace rounds: the number of pixels that a picture moves
// is cut off afterwards.
double step_of(double first, double last, int magnitude) {
  const auto start = static_cast<float>(first);
  const auto end = static_cast<float>(last);
  const float step = (end - start) / static_cast<float>(kLargestMagnitude);
  if (magnitude <= kLargestMagnitude / 2) return start + step * static_cast<float>(magnitude);
  return end - step * static_cast<float>(kLargestMagnitude - magnitude);
}

bool has_sign(RandOp operation) {
  return operation >= RandOp::kShearX && operation <= RandOp::kSharpness;
}

int kept_bits(int magnitude) {
  // Halves to the even number, as torch rounds.
  return 8 - static_cast<int>(std::nearbyint(magnitude / (kLargestMagnitude / 4.0)));
}

AffineMap map_of(const Image& image, RandOp operation, int magnitude, double sign) {
  constexpr double kMoved = 150.0 / 331.0;
  AffineMap map;
  switch (operation) {
    case RandOp::kShearX:
      map.xy = sign * step_of(0, 0.3, magnitude);
      break;
    case RandOp::kShearY:
      map.yx = sign * step_of(0, 0.3, magnitude);
      break;
    case RandOp::kTranslateX:
      map.x0 = -std::trunc(sign * step_of(0, kMoved * image.width, magnitude));
      break;
    case RandOp::kTranslateY:
      map.y0 = -std::trunc(sign * step_of(0, kMoved * image.height, magnitude));
      break;
    default:
      return rotation(image, sign * step_of(0, 30, magnitude));
  }
  return map;
}

void change_colours(Image& image, RandOp operation, int magnitude, double sign) {
  const double factor = 1 + sign * step_of(0, 0.9, magnitude);
  switch (operation) {
    case RandOp::kBrightness:
      return adjust_brightness(image, factor);
    case RandOp::kColour:
      return adjust_saturation(image, factor);
    case RandOp::kContrast:
      return adjust_contrast(image, factor);
    case RandOp::kSharpness:
      return adjust_sharpness(image, factor);
    case RandOp::kPosterise:
      return posterise(image, kept_bits(magnitude));
    case RandOp::kSolarise:
      return solarise(image, static_cast<int>(std::ceil(step_of(255, 0, magnitude))));
    case RandOp::kAutoContrast:
      return auto_contrast(image);
    case RandOp::kEqualise:
      return equalise(image);
    default:
      return;
  }
}

}  // namespace

Image apply(const Image& image, RandOp operation, int magnitude, bool negative) {
  ensure(magnitude >= 0 && magnitude <= kLargestMagnitude, "a magnitude is out of range");
  const double sign = negative ? -1 : 1;
  if (operation >= RandOp::kShearX && operation <= RandOp::kRotate) {
    return transform(image, map_of(image, operation, magnitude, sign));
  }
  Image result = image;
  change_colours(result, operation, magnitude, sign);
  return result;
}

Image rand_augment(const Image& image, std::int64_t operations, int magnitude, Random& random) {
  Image result = image;
  for (std::int64_t i = 0; i < operations; ++i) {
    const auto operation = static_cast<RandOp>(random.below(kRandOps));
    const bool negative = has_sign(operation) && random.chance(0.5);
    result = apply(result, operation, magnitude, negative);
  }
  return result;
}

}  // namespace dd
