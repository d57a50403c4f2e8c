// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

namespace dd {

/// Keeps every other process from a place of results for as long as it lives. The lock is the
/// system's own (flock), so that it goes with the process however that ends; the file only tells
/// who holds it. A file that a dead process left behind blocks nobody.
class FolderLock {
 public:
  /// Makes `file` and its parents and locks it. Error(kUsage) names `place` and the holder, process
  /// and host, when another process has the lock; Error(kResource) when the file cannot be made.
  FolderLock(const std::filesystem::path& place, std::filesystem::path file);
  /// Removes the file, and those parents that it made and that are still empty.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// False where the disk knows no locks, as some network disks do: nothing is kept out then.
  bool held() const noexcept { return held_; }

 private:
  void open(const std::filesystem::path& place);
  void release() noexcept;

  std::filesystem::path file_;
  std::vector<std::filesystem::path> made_;  ///< outermost first
  int descriptor_ = -1;
  bool held_ = false;
};

}  // namespace dd
