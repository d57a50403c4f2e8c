// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

// What lies beneath write_file_atomically (files.h), for those who write very many files or look
// for what a killed process left.

namespace dd {

/// As write_file_atomically, but for the last step: the new name is on the disk only after
/// sync_folder. Until then a power cut may lose the file; it never leaves one that is cut short.
void write_file_name_later(const std::filesystem::path& path, std::string_view bytes);

/// Brings the names in a folder to the disk. Throws Error(kResource).
void sync_folder(const std::filesystem::path& folder);

/// Takes an earlier record away, on the disk too, before the files that it stands for are replaced:
/// one of other settings would vouch for new ones after a kill in between. One that is not there,
/// or cannot be removed, is left to whoever writes it anew.
void drop_record(const std::filesystem::path& record);

/// How the ending of a temporary file's name begins.
inline constexpr std::string_view kTemporaryStart = ".tmp";

/// What the names of this process's temporary files end in: ".tmp4711-9f8e7d6c". No two processes
/// have the same, on any host.
const std::string& temporary_ending();

/// Whether a text, which may be anything, is such an ending.
bool is_temporary_ending(std::string_view text);

}  // namespace dd
