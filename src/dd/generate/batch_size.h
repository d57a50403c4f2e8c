// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "dd/generate/sampling.h"
#include "dd/models/unet.h"
#include "dd/models/vae.h"
#include "dd/tensor/device.h"

namespace dd::generate {

/// What decides how many images pass through a network at a time.
struct BatchLimits {
  Placement placement{};
  std::optional<std::int64_t> free_bytes{};  ///< see free_memory(); nothing = not known
};

/// The activations of one image in the U-Net, by a cautious estimate, in bytes. `options` with
/// their size.
double drawing_bytes(const models::UNetConfig& unet, const models::VaeConfig& vae,
                     const SamplingOptions& options, at::ScalarType dtype);

/// Images that the U-Net draws at a time. A CPU gains nothing from more than the activations of
/// four images of 512 px, and small models little from more than 64; less where half of the free
/// memory does not hold so many, by a cautious estimate of what one takes, but at least 1.
/// `options` with their size.
std::int64_t drawing_batch(const models::UNetConfig& unet, const models::VaeConfig& vae,
                           const SamplingOptions& options, const BatchLimits& limits);

/// Images that are decoded at a time, likewise: the decoder's activations, not the latents, decide
/// the peak memory.
std::int64_t decoding_batch(const models::VaeConfig& vae, const SamplingOptions& options,
                            const BatchLimits& limits);

}  // namespace dd::generate
