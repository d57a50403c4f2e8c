// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
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

/// Bytes that this process may still take without pushing others out: what Linux calls available,
/// or what the control groups (version 1 or 2) around the process or a limit (`ulimit -v`) leave,
/// where that is less.
/// Nothing where the system does not say. `root` is for tests.
std::optional<std::int64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace dd
