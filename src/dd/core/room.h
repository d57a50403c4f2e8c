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

/// Warns when `what` takes more memory than there is. A warning, no error: pages of a mapped file
/// can be given back.
void warn_of_memory(std::int64_t bytes, const std::string& what, Reporter& report);

}  // namespace dd
