// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/free_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

#include "dd/core/memory.h"

namespace dd {

std::optional<std::int64_t> free_memory(at::Device device) {
  if (device.is_cpu()) return available_memory();
#ifdef DD_TORCH_SAYS_FREE_MEMORY
  try {
    const c10::DeviceIndex index = device.has_index() ? device.index() : c10::DeviceIndex{0};
    return static_cast<std::int64_t>(
        c10::getDeviceAllocator(device.type())->getMemoryInfo(index).first);
  } catch (const c10::Error&) {
    return std::nullopt;  // this kind of device does not say
  }
#else
  return std::nullopt;
#endif
}

}  // namespace dd
