// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace dd {

/// Where and how precisely a stage computes.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  /// On a CPU, weights may stay as a file has them where that is narrower than `dtype`, mapped and
  /// not copied; layers widen them where they use them. For parts that cost little beside others.
  bool at_rest = false;

  [[nodiscard]] Placement with_weights_at_rest() const {
    Placement resting = *this;
    resting.at_rest = true;
    return resting;
  }
};

/// "cpu", "cuda", "cuda:N" or "auto" (CUDA when LibTorch sees one). Error(kUsage) otherwise, or
/// when the device is not there.
at::Device parse_device(const std::string& text);

/// "f32", "bf16", "f16" or "auto": bf16 on CUDA, f32 on a CPU, which is exact and, on most CPUs,
/// fastest.
at::ScalarType parse_dtype(const std::string& text, at::Device device);

/// Both of them.
Placement parse_placement(const std::string& device, const std::string& dtype);

/// The name that parse_dtype reads.
std::string dtype_name(at::ScalarType dtype);

/// A CPU generator with this seed: gives the numbers of `torch.Generator("cpu").manual_seed(seed)`.
at::Generator make_generator(std::uint64_t seed);

/// Standard normal float32 numbers on the CPU: `torch.randn(shape, generator=...)`.
at::Tensor seeded_randn(at::IntArrayRef shape, std::uint64_t seed);

}  // namespace dd
