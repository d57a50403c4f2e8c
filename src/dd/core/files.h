// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace dd {

/// The whole file as bytes. Throws Error(kInput) naming the file when it is missing, not a plain
/// file, unreadable, or longer than `limit` bytes.
std::string read_file(const std::filesystem::path& path,
                      std::uintmax_t limit = std::uintmax_t{1} << 31);

/// Writes `bytes` so that `path` holds either its old content or all of the new: to a temporary
/// file beside it, flushed to disk, then renamed. Parent folders are made. Throws Error(kResource).
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The same for writers that want a file name: `write` gets the temporary path and must close what
/// it opened there.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(const std::filesystem::path&)>& write);

/// Whether there is something at the path, a folder, a plain file; links are followed. As the
/// functions of std::filesystem, but Error(kInput) names what the system does not let us look at:
/// no permission, links in a circle, a name that is too long.
bool path_exists(const std::filesystem::path& path);
bool path_is_folder(const std::filesystem::path& path);
bool path_is_file(const std::filesystem::path& path);

/// Makes the folder and its parents. Throws Error(kInput) naming it where its path can be no
/// folder's, as below a file, and Error(kResource) where it cannot be made for another reason.
void make_folder(const std::filesystem::path& folder);

/// Lower-case hexadecimal SHA-256 of a file's content, or of bytes. Throws Error(kInput).
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256_of(std::string_view bytes);

}  // namespace dd
