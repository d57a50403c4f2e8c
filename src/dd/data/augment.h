// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/core/fields.h"
#include "dd/core/seeds.h"
#include "dd/image/image.h"

namespace dd {

/// Random changes of training images, all optional, in this order. The defaults suit photos of
/// things: crop, flip and mild colours; what can destroy small pictures (blur, solarise) is off.
struct AugmentOptions final : Options {
  std::int64_t rand_augment = 0;    ///< operations of RandAugment (rand_augment.h) before the crop
  std::int64_t rand_magnitude = 9;  ///< their magnitude, 0 … 30
  double crop_min_area =
      0.6;  ///< smallest share of the image a random crop keeps; 1 = no random crop
  double crop_max_aspect = 4.0 / 3.0;  ///< most width/height (and height/width) of a crop
  double flip = 0.5;                   ///< probability of mirroring left and right
  double jitter = 0.8;                 ///< probability of colour jitter; strengths below
  double brightness = 0.2;             ///< factors in 1 ± this
  double contrast = 0.2;               ///< factors in 1 ± this
  double saturation = 0.2;             ///< factors in 1 ± this
  double hue = 0.0;                    ///< turns of the colour circle in ± this, at most 0.5
  double greyscale = 0.0;              ///< probability
  double blur = 0.0;                   ///< probability of a Gaussian blur
  double blur_sigma = 0.01;            ///< largest sigma, as a share of the image's side
  double solarise = 0.0;               ///< probability of inverting values from 128 on

  void visit(FieldVisitor& visitor) override;
};

/// Every probability 0 and no crop: augment() then only fits the image to the size.
AugmentOptions no_augmentation();
/// What DataDream's official code does to CLIP's training images (classify/data.py): RandAugment
/// with 2 operations at 9, crops from a quarter of the area on, flip, jitter 0.4/0.4/0.2/0.1 with
/// probability 0.8, grey, blur (up to 2 of 224 pixels) and solarise with 0.2 each.
AugmentOptions paper_augmentation();

/// A changed copy of `image`, size x size pixels. All randomness comes from `random`, so a sample
/// made from (seed, epoch, image) is the same whatever its batch. Without random crop: short side
/// to `size`, middle square. The image must not be empty. Thread-safe for different `random`.
Image augment(const Image& image, int size, const AugmentOptions& options, Random& random);

}  // namespace dd
