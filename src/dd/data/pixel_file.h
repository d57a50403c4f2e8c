// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>

namespace dd {

/// Bytes that may be more than memory holds: in a file without a name, which goes with the process
/// however it ends, and read through the page cache. First everything is added, then it is read.
class PixelFile {
 public:
  /// Error(kResource) when no file can be made at `path`.
  explicit PixelFile(std::filesystem::path path);
  ~PixelFile();
  PixelFile(const PixelFile&) = delete;
  PixelFile& operator=(const PixelFile&) = delete;

  /// Returns where the bytes begin. From any thread. Error(kResource) when the disk is full.
  std::int64_t add(std::span<const std::uint8_t> bytes);

  /// Ends adding. Error(kResource).
  void map();
  /// Of what was added, after map(); from any thread. Valid as long as the file.
  std::span<const std::uint8_t> bytes(std::int64_t begin, std::int64_t count) const;

 private:
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::atomic<std::int64_t> size_{0};
  const std::uint8_t* mapped_ = nullptr;
  std::int64_t mapped_size_ = 0;
};

}  // namespace dd
