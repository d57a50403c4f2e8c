// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/device.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/randn.h>

#include "dd/core/error.h"

namespace dd {

at::Device parse_device(const std::string& text) {
  if (text == "cpu") return at::kCPU;
  if (text == "auto") return at::hasCUDA() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  const bool numbered = text.rfind("cuda:", 0) == 0 && text.size() > 5 && text.size() < 9 &&
                        text.find_first_not_of("0123456789", 5) == std::string::npos;
  if (text != "cuda" && !numbered) {
    fail_usage(cat("--device is \"", text, "\", but must be cpu, cuda, cuda:N or auto"));
  }
  const int index = numbered ? std::stoi(text.substr(5)) : 0;
  if (!at::hasCUDA())
    fail_usage(cat("--device ", text, ": this LibTorch sees no CUDA device; use --device cpu"));
  if (index >= static_cast<int>(at::getNumGPUs())) {
    fail_usage(cat("--device ", text, ": there is no such CUDA device here; use a lower number"));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

at::ScalarType parse_dtype(const std::string& text, at::Device device) {
  if (text == "f32") return at::kFloat;
  if (text == "bf16") return at::kBFloat16;
  if (text == "f16") return at::kHalf;
  if (text == "auto") return device.is_cuda() ? at::kBFloat16 : at::kFloat;
  fail_usage(cat("--dtype is \"", text, "\", but must be f32, bf16, f16 or auto"));
}

Placement parse_placement(const std::string& device, const std::string& dtype) {
  const at::Device place = parse_device(device);
  return {place, parse_dtype(dtype, place)};
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat:
      return "f32";
    case at::kBFloat16:
      return "bf16";
    case at::kHalf:
      return "f16";
    default:
      return c10::toString(dtype);
  }
}

at::Generator make_generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

at::Tensor seeded_randn(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, make_generator(seed), at::TensorOptions().dtype(at::kFloat));
}

}  // namespace dd
