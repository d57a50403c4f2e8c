// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/durable_files.h"

namespace dd {

/// Keeps every other process from a place of results for as long as it lives. The lock is the
/// system's own (flock), so that it goes with the process however that ends; the file tells who
/// holds it. A file that a dead process left behind blocks nobody, and says which temporary files
/// are left of it and of those that worked with it: they are removed. Some disks keep locks to one
/// machine: what a process of another one left is removed only where nobody wrote to it for ten
/// minutes, and warning() tells of it.
class FolderLock {
 public:
  /// Makes `file` and its parents and locks it. Error(kUsage) names `place` and the holder, process
  /// and host, when another process has the lock; Error(kResource) when the file cannot be made.
  /// Temporary files of a dead holder are looked for everywhere in `place` where `file` lies right
  /// in it, else in the folder of `file`. `endings` are those of all that write there under this
  /// lock, as temporary_ending() gives each (durable_files.h).
  FolderLock(const std::filesystem::path& place, std::filesystem::path file,
             const std::vector<std::string>& endings = {temporary_ending()});
  /// Removes the file, and those parents that it made and that are still empty.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// What the user should know, or nothing: the disk knows no locks, as some network disks do, and
  /// nothing is kept out; or a process of another machine left the place without a farewell.
  std::string warning() const;

 private:
  void take(const std::vector<std::string>& endings);
  bool remove_left();
  void release() noexcept;

  std::filesystem::path place_;
  std::filesystem::path file_;
  std::vector<std::filesystem::path> made_;  ///< outermost first
  std::string elsewhere_;                    ///< the earlier holder, where it ran elsewhere
  std::vector<std::string> left_;            ///< endings of its files that may still be there
  int descriptor_ = -1;
  bool held_ = false;
};

/// The steps of it, for locks that several processes share.
struct LockFile {
  int descriptor = -1;
  int problem = 0;  ///< 0 = locked; EWOULDBLOCK = another process holds it; else errno of flock

  /// Whether the disk knows no locks.
  bool is_without_locks() const;
};

/// Opens or makes `file` and tries to lock it, without waiting; `how` is LOCK_EX or LOCK_SH. What
/// is locked bears that name at that moment. Error(kResource) names `place` when it cannot be made.
LockFile open_lock_file(const std::filesystem::path& place, const std::filesystem::path& file,
                        int how);

/// What a holder wrote into the file about itself: "process 4711 on host".
std::string lock_holder(int descriptor);

/// Replaces the content of a lock file, on the disk as well. False when there is no space.
bool write_lock_holder(int descriptor, const std::string& text) noexcept;

}  // namespace dd
