// SPDX-License-Identifier: Apache-2.0
// What paths lead to. A link whose store is not mounted is never taken for nothing: who passed over
// it would go on with fewer images or classes, and nobody would notice.
#pragma once

#include <filesystem>

namespace dd {

/// As path_exists of core/files.h, but a link that leads nowhere is refused too: Error(kInput)
/// names it, its target and what to do, and likewise links in a circle and what cannot be reached.
bool is_there(const std::filesystem::path& path);

/// Whether `path` is a folder or leads to one; Error(kInput) as above.
bool is_folder(const std::filesystem::path& path);

/// Error(kInput) unless `path` is a plain file or leads to one. It is not opened: a pipe would keep
/// its reader waiting for ever.
void check_plain_file(const std::filesystem::path& path);

}  // namespace dd
