// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "dd/core/context.h"

namespace dd {

/// Bytes that may still be written to the disk that the folder is, or will be, on; nothing where
/// the system does not say.
std::optional<std::int64_t> free_space(const std::filesystem::path& folder);

/// "12.3 MB", of a thousand thousand bytes.
std::string bytes_text(std::int64_t bytes);

/// Says before the work how much `what` will write into the folder at most, and warns when its disk
/// has less room.
void report_space(const std::filesystem::path& folder, std::int64_t bytes, const std::string& what,
                  Reporter& report);

/// What something takes of memory, and what there is for it.
struct MemoryNeed {
  std::int64_t bytes = 0;
  std::optional<std::int64_t> available{};  ///< nothing where the system does not say

  bool fits() const { return !available || bytes <= *available; }
};

/// A count of bytes that was computed in floating point, as whole bytes; what no disk or memory
/// could ever hold is cut.
std::int64_t whole_bytes(double bytes);

/// Says how much memory `what` takes, and warns when less is available: a warning, no error, since
/// pages of a mapped file can be given back.
void report_memory(const MemoryNeed& need, const std::string& what, Reporter& report);

}  // namespace dd
