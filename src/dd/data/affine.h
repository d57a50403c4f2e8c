// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dd/image/image.h"

namespace dd {

/// Where a pixel of the result comes from: x' = xx·x + xy·y + x0 and y' = yx·x + yy·y + y0, in
/// pixels of the source, whose top left corner is (0, 0).
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

/// The nearest pixel of the source, black outside; the size stays. Bit for bit PIL's
/// `Image.transform(AFFINE, NEAREST)`, with its 16 binary places. Sides up to 32767.
Image transform(const Image& image, const AffineMap& map);

/// The map of PIL's `Image.rotate`: `degrees` against the clock around the middle.
AffineMap rotation(const Image& image, double degrees);

}  // namespace dd
