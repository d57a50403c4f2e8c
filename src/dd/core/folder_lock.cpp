// SPDX-License-Identifier: Apache-2.0
#include "dd/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <set>
#include <sstream>
#include <string_view>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

/// Who this is, and a line for each of what temporary files are known by.
std::string holder_text(const std::vector<std::string>& endings) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::string text = cat("process ", ::getpid(), " on ", host.data(), "\n");
  for (const std::string& ending : endings) text += ending + "\n";
  return text;
}

/// No more than a lock of tens of thousands of processes has: it may be any file.
std::string content_of(int descriptor) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() < kMost) {
    const ssize_t count = ::pread(descriptor, block.data(), block.size(), std::ssize(text));
    if (count <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::vector<std::string> endings_in(const std::string& content) {
  std::istringstream lines(content);
  std::string line;
  std::getline(lines, line);  // the holder
  std::vector<std::string> endings;
  while (std::getline(lines, line)) {
    if (is_temporary_ending(line)) endings.push_back(line);
  }
  return endings;
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
void remove_temporaries(const fs::path& folder, bool everywhere,
                        const std::vector<std::string>& endings) {
  const std::set<std::string, std::less<>> known(endings.begin(), endings.end());
  const auto is_left = [&](const std::string& name) {
    const std::size_t at = name.rfind(kTemporaryStart);
    return at != std::string::npos && known.contains(std::string_view(name).substr(at));
  };
  std::error_code problem;
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    const bool is_one = is_left(entry->path().filename().string());
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

FolderLock::FolderLock(const fs::path& place, fs::path file,
                       const std::vector<std::string>& endings)
    : file_(std::move(file)), made_(missing_parents(file_)) {
  try {
    if (file_.has_parent_path()) make_folder(file_.parent_path());
    take(place, endings);
  } catch (...) {
    release();
    throw;
  }
}

FolderLock::~FolderLock() {
  release();
}

void FolderLock::take(const fs::path& place, const std::vector<std::string>& endings) {
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
  if (const auto left = endings_in(content_of(descriptor_)); !left.empty()) {
    const fs::path folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
    std::error_code unknown;
    remove_temporaries(folder, fs::equivalent(folder, place, unknown), left);
  }
  // Only now, or a process that is killed here would leave them for ever. Without the name the lock
  // holds all the same, as on a full disk.
  write_lock_holder(descriptor_, holder_text(endings));
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
