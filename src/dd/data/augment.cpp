// SPDX-License-Identifier: Apache-2.0
#include "dd/data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "dd/core/error.h"
#include "dd/data/colour_ops.h"
#include "dd/data/rand_augment.h"
#include "dd/image/resize.h"

namespace dd {
namespace {

// Area and logarithm of the aspect uniform, as Inception's crops; after ten that do not fit, the
// middle.
Image random_crop(const Image& image, int size, const AugmentOptions& options, Random& random) {
  const double pixels = static_cast<double>(image.width) * image.height;
  const double widest = std::log(options.crop_max_aspect);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = pixels * random.uniform(options.crop_min_area, 1.0);
    const double aspect = std::exp(random.uniform(-widest, widest));
    const int width = static_cast<int>(std::lround(std::sqrt(area * aspect)));
    const int height = static_cast<int>(std::lround(std::sqrt(area / aspect)));
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const auto left = static_cast<int>(random.below(image.width - width + 1));
    const auto top = static_cast<int>(random.below(image.height - height + 1));
    return resize(crop(image, left, top, width, height), size, size);
  }
  return center_crop(resize_short_side(image, size), size);
}

double factor_around_one(double strength, Random& random) {
  return random.uniform(std::max(0.0, 1.0 - strength), 1.0 + strength);
}

// The four changes in random order, which gives more variety than a fixed one.
void jitter(Image& image, const AugmentOptions& options, Random& random) {
  std::array<int, 4> order{0, 1, 2, 3};
  random.shuffle(std::span<int>(order));
  for (const int change : order) {
    if (change == 0 && options.brightness > 0) {
      adjust_brightness(image, factor_around_one(options.brightness, random));
    } else if (change == 1 && options.contrast > 0) {
      adjust_contrast(image, factor_around_one(options.contrast, random));
    } else if (change == 2 && options.saturation > 0) {
      adjust_saturation(image, factor_around_one(options.saturation, random));
    } else if (change == 3 && options.hue > 0) {
      adjust_hue(image, random.uniform(-options.hue, options.hue));
    }
  }
}

}  // namespace

void AugmentOptions::visit(FieldVisitor& visitor) {
  const auto share = [](const char* help) { return FieldInfo{help, 0.0, 1.0}; };
  visitor.field(
      "rand-augment", rand_augment,
      {"operations of RandAugment on each image; 0 = none (the official code: 2)", 0, 14});
  visitor.field("rand-magnitude", rand_magnitude,
                {"strength of those operations", 0, kLargestMagnitude});
  visitor.field(
      "crop-min-area", crop_min_area,
      {"smallest share of the image that a random crop keeps; 1 = no random crop", 0.01, 1});
  visitor.field("crop-max-aspect", crop_max_aspect,
                {"most width/height (and height/width) of a random crop", 1, 10});
  visitor.field("flip", flip, share("probability of mirroring left and right"));
  visitor.field("jitter", jitter, share("probability of changing the colours"));
  visitor.field("brightness", brightness, share("brightness factors lie in 1 +- this"));
  visitor.field("contrast", contrast, share("contrast factors lie in 1 +- this"));
  visitor.field("saturation", saturation, share("saturation factors lie in 1 +- this"));
  visitor.field("hue", hue, {"turns of the colour circle lie in +- this", 0, 0.5});
  visitor.field("greyscale", greyscale, share("probability of removing the colours"));
  visitor.field("blur", blur, share("probability of a Gaussian blur"));
  visitor.field("blur-sigma", blur_sigma, {"largest blur as a share of the image's side", 0, 0.2});
  visitor.field("solarise", solarise, share("probability of inverting bright values"));
}

AugmentOptions no_augmentation() {
  AugmentOptions options;
  options.crop_min_area = 1.0;
  options.flip = options.jitter = 0.0;
  return options;
}

AugmentOptions paper_augmentation() {
  AugmentOptions options;
  options.rand_augment = 2;
  options.crop_min_area = 0.25;
  options.brightness = options.contrast = 0.4;
  options.hue = 0.1;
  options.greyscale = options.blur = options.solarise = 0.2;
  options.blur_sigma = 2.0 / 224;
  return options;
}

Image augment(const Image& image, int size, const AugmentOptions& options, Random& random) {
  ensure(!image.empty() && size > 0, "augment needs a picture and a positive size");
  Image changed;
  const Image* whole = &image;
  if (options.rand_augment > 0) {
    changed =
        rand_augment(image, options.rand_augment, static_cast<int>(options.rand_magnitude), random);
    whole = &changed;
  }
  Image result = options.crop_min_area < 1.0 ? random_crop(*whole, size, options, random)
                                             : center_crop(resize_short_side(*whole, size), size);
  if (random.chance(options.flip)) result = flip_horizontal(result);
  if (random.chance(options.jitter)) jitter(result, options, random);
  if (random.chance(options.greyscale)) make_grey(result);
  if (random.chance(options.blur)) {
    blur(result, random.uniform(0.1 * options.blur_sigma, options.blur_sigma) * size);
  }
  if (random.chance(options.solarise)) solarise(result);
  return result;
}

}  // namespace dd
