// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace dd {

/// Measures the most memory that this process had resident at a time since the object was made.
/// Linux keeps one such mark a process, which making an object resets: one at a time.
class PeakMemory {
 public:
  PeakMemory();

  /// Bytes, without what lies on a GPU; nothing where the system does not say.
  std::optional<std::int64_t> bytes() const;

 private:
  bool reset_ = false;
};

}  // namespace dd
