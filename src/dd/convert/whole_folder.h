// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "dd/core/json.h"

namespace dd::convert {

/// Refuses (Error(kUsage)) to write over what is at `out` already, unless `force` is given and it
/// is a file or a folder with a `mark` in it, as this program writes them; and to write over
/// `source` or into it.
void check_target(const std::filesystem::path& out, const std::filesystem::path& source,
                  const char* mark, bool force);

/// Fills a folder beside `folder`, then puts it in its place, where it takes that of an earlier
/// one. When `write` throws, nothing is left behind.
void write_whole_folder(const std::filesystem::path& folder,
                        const std::function<void(const std::filesystem::path&)>& write);

/// Copies the files right in `from`, but for weights; none when there is no such folder.
void copy_small_files(const std::filesystem::path& from, const std::filesystem::path& to);

/// Copies a configuration whose words for the number format, if it has any, become those of
/// `dtype` ("float16").
void copy_config(const std::filesystem::path& from, const std::filesystem::path& to,
                 const std::string& dtype);

}  // namespace dd::convert
