// SPDX-License-Identifier: Apache-2.0
#include "dd/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "dd/core/durable_files.h"
#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

/// Who this is, and in the second line what its temporary files are known by.
std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return cat("process ", ::getpid(), " on ", host.data(), "\n", temporary_ending(), "\n");
}

std::string content_of(int descriptor) {
  std::array<char, 400> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  return {text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

/// Whether the open file is still the one of that name: a holder removes it when it leaves.
bool is_in_place(int descriptor, const fs::path& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

std::vector<fs::path> missing_parents(const fs::path& file) {
  std::vector<fs::path> missing;
  for (fs::path folder = file.parent_path(); !folder.empty() && !fs::exists(folder);
       folder = folder.parent_path()) {
    missing.insert(missing.begin(), folder);
  }
  return missing;
}

bool means_no_locks(int problem) {
  return problem == ENOSYS || problem == EOPNOTSUPP || problem == ENOLCK || problem == EINVAL;
}

/// Files, and folders that were to be put in place whole. What cannot be removed does no harm.
void remove_temporaries(const fs::path& folder, bool everywhere, const std::string& ending) {
  std::error_code problem;
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    const bool is_one = entry->path().filename().string().ends_with(ending);
    if (is_one) found.push_back(entry->path());
    if (is_one || !everywhere) entry.disable_recursion_pending();
  }
  for (const fs::path& path : found) fs::remove_all(path, problem);
}

}  // namespace

LockFile open_lock_file(const fs::path& place, const fs::path& file, int how) {
  for (;;) {
    LockFile lock{.descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
    if (lock.descriptor < 0) {
      fail_resource(cat("cannot write to ", place.string(), ": ", std::strerror(errno),
                        "; choose another --out or check permissions"));
    }
    if (::flock(lock.descriptor, how | LOCK_NB) != 0) lock.problem = errno;
    if (lock.problem != 0 || is_in_place(lock.descriptor, file)) return lock;
    ::close(lock.descriptor);  // the holder left and took the file along
  }
}

std::string lock_holder(int descriptor) {
  const std::string text = content_of(descriptor);
  // The holder may not have written its name yet.
  return text.empty() ? "another process" : text.substr(0, text.find('\n'));
}

bool write_lock_holder(int descriptor, const std::string& text) noexcept {
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text) &&
         ::fsync(descriptor) == 0;
}

FolderLock::FolderLock(const fs::path& place, fs::path file)
    : file_(std::move(file)), made_(missing_parents(file_)) {
  try {
    if (file_.has_parent_path()) make_folder(file_.parent_path());
    take(place);
  } catch (...) {
    release();
    throw;
  }
}

FolderLock::~FolderLock() {
  release();
}

void FolderLock::take(const fs::path& place) {
  const LockFile lock = open_lock_file(place, file_, LOCK_EX);
  descriptor_ = lock.descriptor;
  if (means_no_locks(lock.problem)) return;
  if (lock.problem == EWOULDBLOCK) {
    fail_usage(cat(lock_holder(descriptor_), " works in ", place.string(),
                   "; wait for it, or choose another --out"));
  }
  if (lock.problem != 0) {
    fail_resource(cat("cannot lock ", file_.string(), ": ", std::strerror(lock.problem),
                      "; choose an --out on another disk"));
  }
  held_ = true;
  std::string ending = content_of(descriptor_);
  ending.erase(0, ending.find('\n') + 1);
  ending.erase(std::min(ending.size(), ending.find('\n')));
  if (is_temporary_ending(ending)) {
    const fs::path folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
    std::error_code unknown;
    remove_temporaries(folder, fs::equivalent(folder, place, unknown), ending);
  }
  // Only now, or a process that is killed here would leave them for ever. Without the name the lock
  // holds all the same, as on a full disk.
  write_lock_holder(descriptor_, own_name());
}

void FolderLock::release() noexcept {
  std::error_code ignored;
  // While the lock is held, so that no other process's file is removed.
  if (held_) fs::remove(file_, ignored);
  if (descriptor_ >= 0) ::close(descriptor_);
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    if (::rmdir(folder->c_str()) != 0) break;
  }
}

}  // namespace dd
