// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/batch_size.h"

#include <algorithm>

#include "dd/core/room.h"

namespace dd::generate {
namespace {

constexpr std::int64_t kMost = 64;

std::int64_t bytes_of(at::ScalarType dtype) {
  return static_cast<std::int64_t>(c10::elementSize(dtype));
}

/// `wanted`, or what fits into half of the free memory: the rest is for what was not counted.
std::int64_t fitting(std::int64_t wanted, std::int64_t each, const BatchLimits& limits) {
  if (!limits.free_bytes) return wanted;
  return std::clamp<std::int64_t>(*limits.free_bytes / 2 / each, 1, wanted);
}

}  // namespace

/// Full resolution has most activations: the gated MLP of a transformer alone has 12 times its
/// width, the rest are skip connections, the inputs of the last levels and what an operator has
/// beside its input.
double drawing_bytes(const models::UNetConfig& unet, const models::VaeConfig& vae,
                     const SamplingOptions& options, at::ScalarType dtype) {
  constexpr double kMaps = 24;
  const std::int64_t factor = vae.factor();
  const std::int64_t cells = (options.width / factor) * (options.height / factor);
  const double rows = options.guidance.enabled() ? 2 : 1;
  return rows * static_cast<double>(cells) * static_cast<double>(unet.widths.front()) * kMaps *
         static_cast<double>(bytes_of(dtype));
}

std::int64_t drawing_batch(const models::UNetConfig& unet, const models::VaeConfig& vae,
                           const SamplingOptions& options, const BatchLimits& limits) {
  constexpr std::int64_t kPixels = std::int64_t{4} * 512 * 512;
  const std::int64_t wanted =
      limits.placement.device.is_cpu()
          ? std::clamp<std::int64_t>(kPixels / (options.width * options.height), 1, kMost)
          : kMost;
  const double each = drawing_bytes(unet, vae, options, limits.placement.dtype);
  return fitting(wanted, whole_bytes(each), limits);
}

std::int64_t decoding_batch(const models::VaeConfig& vae, const SamplingOptions& options,
                            const BatchLimits& limits) {
  constexpr std::int64_t kPixels = std::int64_t{1} << 20;
  // The last level gets its input from the one before at full resolution: that, its norm, what the
  // convolution makes of it and a shortcut.
  constexpr std::int64_t kMaps = 4;
  const std::int64_t pixels =
      (options.width / options.decode_shrink) * (options.height / options.decode_shrink);
  const std::int64_t width = vae.widths[vae.widths.size() > 1 ? 1 : 0];
  const std::int64_t each =
      pixels * width * kMaps * bytes_of(models::vae_placement(limits.placement).dtype);
  return fitting(std::max<std::int64_t>(1, kPixels / pixels), each, limits);
}

}  // namespace dd::generate
