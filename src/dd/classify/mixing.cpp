// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/mixing.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "dd/core/error.h"

namespace dd::classify {
namespace {

/// The logarithm of a Gamma(alpha, 1) variate. Below 1 it follows from that of alpha + 1, in
/// logarithms, because the variate itself may be smaller than any double.
double log_gamma_variate(double alpha, Random& random) {
  if (alpha < 1) {
    const double larger = log_gamma_variate(alpha + 1, random);
    return larger + std::log(1 - random.uniform()) / alpha;
  }
  const double d = alpha - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = random.normal();
    const double cube_root = 1 + c * x;
    if (cube_root <= 0) continue;
    const double v = cube_root * cube_root * cube_root;
    if (std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d * v);
    }
  }
}

at::Tensor others(const at::Tensor& rows) {
  return rows.roll(1, 0);
}

void draw_box(Mix& mix, std::int64_t width, std::int64_t height, Random& random) {
  const std::int64_t x = random.below(width);
  const std::int64_t y = random.below(height);
  const double half = 0.5 * std::sqrt(1 - mix.kept);
  const auto half_width = static_cast<std::int64_t>(half * static_cast<double>(width));
  const auto half_height = static_cast<std::int64_t>(half * static_cast<double>(height));
  mix.cut = true;
  mix.left = std::max<std::int64_t>(0, x - half_width);
  mix.top = std::max<std::int64_t>(0, y - half_height);
  mix.right = std::min(width, x + half_width);
  mix.bottom = std::min(height, y + half_height);
  const std::int64_t area = (mix.right - mix.left) * (mix.bottom - mix.top);
  mix.kept = 1 - static_cast<double>(area) / static_cast<double>(width * height);
}

}  // namespace

void MixOptions::visit(FieldVisitor& visitor) {
  visitor.field("mix", share,
                {.help = "share of the batches that are mixed, by MixUp or CutMix and within their "
                         "kind; 0 = none (the official code: 0.2)",
                 .low = 0,
                 .high = 1});
  visitor.field("mixup-alpha", mixup_alpha,
                {.help = "MixUp's shares come from Beta(alpha, alpha); 0 = CutMix only",
                 .low = 0,
                 .high = 100});
  visitor.field("cutmix-alpha", cutmix_alpha,
                {.help = "CutMix's shares come from Beta(alpha, alpha); 0 = MixUp only",
                 .low = 0,
                 .high = 100});
}

void MixOptions::check() const {
  if (share > 0 && mixup_alpha == 0 && cutmix_alpha == 0) {
    fail_usage("--mix needs --mixup-alpha or --cutmix-alpha above 0; set one, or --mix 0");
  }
}

double draw_beta(double alpha, Random& random) {
  const double first = log_gamma_variate(alpha, random);
  const double second = log_gamma_variate(alpha, random);
  return 1 / (1 + std::exp(second - first));
}

Mix draw_mix(const MixOptions& options, std::int64_t width, std::int64_t height, Random& random) {
  const bool both = options.mixup_alpha > 0 && options.cutmix_alpha > 0;
  const bool cut = both ? random.chance(0.5) : options.cutmix_alpha > 0;
  Mix mix;
  mix.kept = draw_beta(cut ? options.cutmix_alpha : options.mixup_alpha, random);
  if (cut) draw_box(mix, width, height, random);
  return mix;
}

at::Tensor mix_images(const at::Tensor& images, const Mix& mix) {
  const at::Tensor other = others(images);
  if (!mix.cut) return other * (1 - mix.kept) + images * mix.kept;
  at::Tensor result = images.clone();
  const auto box = [&mix](const at::Tensor& batch) {
    return batch.narrow(2, mix.top, mix.bottom - mix.top).narrow(3, mix.left, mix.right - mix.left);
  };
  box(result).copy_(box(other));
  return result;
}

at::Tensor mix_targets(const at::Tensor& targets, const Mix& mix) {
  return others(targets) * (1 - mix.kept) + targets * mix.kept;
}

}  // namespace dd::classify
