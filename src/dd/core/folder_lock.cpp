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
#include <string>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return cat("process ", ::getpid(), " on ", host.data());
}

std::string holder_in(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  // The holder may not have written its name yet.
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : "another process";
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

}  // namespace

FolderLock::FolderLock(const fs::path& place, fs::path file)
    : file_(std::move(file)), made_(missing_parents(file_)) {
  try {
    if (file_.has_parent_path()) make_folder(file_.parent_path());
    do {
      open(place);
    } while (descriptor_ < 0);
  } catch (...) {
    release();
    throw;
  }
}

FolderLock::~FolderLock() {
  release();
}

/// Leaves descriptor_ at -1 when the holder left meanwhile and another try is due.
void FolderLock::open(const fs::path& place) {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail_resource(cat("cannot write to ", place.string(), ": ", std::strerror(errno),
                      "; choose another --out or check permissions"));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (means_no_locks(errno)) return;
    const int problem = errno;
    if (problem != EWOULDBLOCK)
      fail_resource(cat("cannot lock ", file_.string(), ": ", std::strerror(problem)));
    fail_usage(cat(holder_in(descriptor_), " works in ", place.string(),
                   "; wait for it, or choose another --out"));
  }
  if (!is_in_place(descriptor_, file_)) {
    ::close(descriptor_);
    descriptor_ = -1;
    return;
  }
  held_ = true;
  const std::string name = own_name();
  // Without the name the lock holds all the same, as on a full disk.
  if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    const auto written = ::pwrite(descriptor_, name.data(), name.size(), 0);
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
