// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace dd {

/// A plain file inside a tar archive.
struct TarMember {
  std::string name;
  std::uint64_t offset = 0;  ///< of its first byte in the archive
  std::uint64_t bytes = 0;
};

/// Calls `visit` for each plain file of an uncompressed tar archive (ustar, GNU or pax), in order;
/// contents are skipped, not read. Every member was checked to lie inside the file. Error(kInput)
/// names an archive that is missing, compressed, truncated or damaged, or has sparse members.
void visit_tar(const std::filesystem::path& path,
               const std::function<void(const TarMember&)>& visit);

}  // namespace dd
