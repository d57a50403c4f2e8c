// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dd/image/image.h"

namespace dd {

enum class ResizeFilter { kBox, kBilinear, kBicubic, kLanczos };

/// Antialiased resize, bit for bit PIL's `Image.resize`: the filter widens when shrinking, weights
/// are rounded to 22 binary places, and the result of the horizontal pass is rounded to 8 bits
/// before the vertical one. The order of the passes is that of Pillow 13;
/// Pillow 11.3 always takes the horizontal one first, which shows where the height loses more than
/// twice as many pixels as the width (shrinking a picture over twice as high as wide does that): a
/// hard-edged test picture squeezed from 61x47 to 60x5 differed by up to 19 levels. The image must
/// not be empty, the new size positive. Thread-safe.
Image resize(const Image& image, int width, int height,
             ResizeFilter filter = ResizeFilter::kBicubic);

/// The same without rounding to levels, neither between the passes nor at the end: each channel as
/// PIL resizes pictures of mode "F", cut to 0 … 255. Rows of RGB values from top to bottom.
std::vector<float> resize_levels(const Image& image, int width, int height,
                                 ResizeFilter filter = ResizeFilter::kBicubic);

/// Makes the short side `size` and keeps the shape; the long side is rounded down, as torchvision
/// and transformers do.
Image resize_short_side(const Image& image, int size, ResizeFilter filter = ResizeFilter::kBicubic);

/// The image, its short side shrunk to `side` where it is longer.
Image thumbnail(const Image& image, int side);

/// The part with its top left corner at (x, y); it must lie inside.
Image crop(const Image& image, int x, int y, int width, int height);

/// The middle square; `size` must not exceed either side. An odd rest goes to the right and the
/// bottom, as in transformers (torchvision rounds it to even).
Image center_crop(const Image& image, int size);

Image flip_horizontal(const Image& image);

}  // namespace dd
