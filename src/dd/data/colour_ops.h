// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/image/image.h"

namespace dd {

/// Colour changes for augmentation, in place, meant as torchvision's functions of the same names on
/// PIL images. Factors: 1 changes nothing; 0 gives black, flat grey, or grey.
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
/// Turns the colour circle by `turn` of a full turn, −0.5 … 0.5.
void adjust_hue(Image& image, double turn);
void make_grey(Image& image);
/// Inverts values of `threshold` and more.
void solarise(Image& image, int threshold = 128);
/// Gaussian blur; `sigma` in pixels, edges repeat. 0 changes nothing.
void blur(Image& image, double sigma);

}  // namespace dd
