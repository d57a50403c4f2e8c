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
/// Gaussian blur by three boxes in each direction, bit for bit PIL's ImageFilter.GaussianBlur;
/// `sigma` in pixels, edges repeat. 0 changes nothing.
void blur(Image& image, double sigma);

/// Keeps the `bits` highest bits of each value, 0 … 8.
void posterise(Image& image, int bits);
/// Stretches each channel to 0 … 255; one of a single value stays. PIL's ImageOps.autocontrast.
void auto_contrast(Image& image);
/// Makes all values of a channel about equally frequent. PIL's ImageOps.equalize.
void equalise(Image& image);
/// PIL's ImageEnhance.Sharpness: factor 1 changes nothing, 0 smooths, more sharpens. Pixels at the
/// border stay as they are.
void adjust_sharpness(Image& image, double factor);

}  // namespace dd
