// SPDX-License-Identifier: Apache-2.0
#include "dd/core/memory.h"

#include <fstream>
#include <string>

namespace dd {

PeakMemory::PeakMemory() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5";  // proc(5): resets VmHWM to what is resident now
  out.close();
  reset_ = static_cast<bool>(out);
}

std::optional<std::int64_t> PeakMemory::bytes() const {
  if (!reset_) return std::nullopt;
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::int64_t kibibytes = 0;
    if (word == "VmHWM:" && in >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

}  // namespace dd
