// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace dd::io {

/// One file in an archive.
struct ZipEntry {
  std::string_view packed;  ///< its bytes as they stand in the archive
  std::uint64_t size = 0;   ///< once unpacked
  std::uint32_t checksum = 0;
  bool deflated = false;
};

/// The directory of a ZIP archive (PKWARE's APPNOTE 6.3, with its 64-bit extension), checked: every
/// entry lies in the file, none overlaps another, no name stands twice, no size exceeds what its
/// packed bytes can give. Stored and deflated entries are known; encrypted ones and archives in
/// several parts are refused.
class ZipArchive {
 public:
  /// `bytes` must outlive the archive; `label` names it in errors. Error(kInput) on damage.
  ZipArchive(std::string_view bytes, std::string label);

  static bool looks_like_zip(std::string_view bytes) { return bytes.substr(0, 4) == "PK\x03\x04"; }

  const std::map<std::string, ZipEntry>& entries() const { return entries_; }
  /// Null when there is none of this name.
  const ZipEntry* find(const std::string& name) const;
  /// The content, unpacked if need be. Error(kInput) when it is longer than `limit` or damaged.
  std::string read(const std::string& name, std::uint64_t limit) const;

 private:
  struct Directory;
  Directory find_directory() const;
  std::uint64_t read_entry(std::uint64_t at, std::map<std::uint64_t, std::uint64_t>& spans);
  std::string_view local_data(std::uint64_t at, std::uint64_t size, const std::string& name) const;
  [[noreturn]] void damaged(const std::string& what) const;

  std::string_view bytes_;
  std::string label_;
  std::map<std::string, ZipEntry> entries_;
};

}  // namespace dd::io
