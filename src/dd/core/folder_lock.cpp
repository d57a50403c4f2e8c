// SPDX-License-Identifier: Apache-2.0
#include "dd/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kHostFollows = " on ";

std::string own_host() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return host.data();
}

/// Who this is, and a line for each of what temporary files are known by.
std::string holder_text(const std::vector<std::string>& endings) {
  std::string text = cat("process ", ::getpid(), kHostFollows, own_host(), "\n");
  for (const std::string& ending : endings) text += ending + "\n";
  return text;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Whether the holder, as holder_text names it, ran on another machine.
bool is_elsewhere(const std::string& holder) {
  const std::size_t at = holder.rfind(kHostFollows);
  return at != std::string::npos && holder.substr(at + kHostFollows.size()) != own_host();
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
  for (fs::path folder = file.parent_path(); !folder.empty() && !path_exists(folder);
       folder = folder.parent_path()) {
    missing.insert(missing.begin(), folder);
  }
  return missing;
}

/// Whoever still writes one is done with it sooner.
constexpr std::chrono::minutes kLongest{10};

/// Files, and folders that were to be put in place whole, but none that was written after `limit`,
/// where one is given. What cannot be removed does no harm. False when one is kept.
bool remove_temporaries(const fs::path& folder, bool everywhere,
                        const std::vector<std::string>& endings,
                        std::optional<fs::file_time_type> limit) {
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
  bool is_all = true;
  for (const fs::path& path : found) {
    if (limit && fs::last_write_time(path, problem) > *limit) {
      is_all = false;
    } else {
      fs::remove_all(path, problem);
    }
  }
  return is_all;
}

}  // namespace

bool LockFile::is_without_locks() const {
  return problem == ENOSYS || problem == EOPNOTSUPP || problem == ENOLCK || problem == EINVAL;
}

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
  return text.empty() ? "another process" : first_line(text);
}

bool write_lock_holder(int descriptor, const std::string& text) noexcept {
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text) &&
         ::fsync(descriptor) == 0;
}

FolderLock::FolderLock(const fs::path& place, fs::path file,
                       const std::vector<std::string>& endings)
    : place_(place), file_(std::move(file)), made_(missing_parents(file_)) {
  try {
    if (file_.has_parent_path()) make_folder(file_.parent_path());
    take(endings);
  } catch (...) {
    release();
    throw;
  }
}

FolderLock::~FolderLock() {
  release();
}

void FolderLock::take(const std::vector<std::string>& endings) {
  const LockFile lock = open_lock_file(place_, file_, LOCK_EX);
  descriptor_ = lock.descriptor;
  if (lock.is_without_locks()) return;
  if (lock.problem == EWOULDBLOCK) {
    fail_usage(cat(lock_holder(descriptor_), " works in ", place_.string(),
                   "; wait for it, or choose another --out"));
  }
  if (lock.problem != 0) {
    fail_resource(cat("cannot lock ", file_.string(), ": ", std::strerror(lock.problem),
                      "; choose an --out on another disk"));
  }
  held_ = true;
  const std::string earlier = content_of(descriptor_);
  if (const std::string holder = first_line(earlier); is_elsewhere(holder)) elsewhere_ = holder;
  left_ = endings_in(earlier);
  std::vector<std::string> known = endings;
  known.insert(known.end(), left_.begin(), left_.end());
  // With those that are left, or a process that is killed now would leave them for ever. Without
  // the name the lock holds all the same, as on a full disk.
  write_lock_holder(descriptor_, holder_text(known));
  if (!left_.empty() && remove_left()) write_lock_holder(descriptor_, holder_text(endings));
}

/// False when some are kept for now. Times are the disk's own, whose clock need not be this
/// machine's.
bool FolderLock::remove_left() {
  std::optional<fs::file_time_type> limit;
  std::error_code problem;
  if (!elsewhere_.empty()) limit = fs::last_write_time(file_, problem) - kLongest;
  if (problem) return false;
  const fs::path folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
  const bool everywhere = fs::equivalent(folder, place_, problem);
  if (!remove_temporaries(folder, everywhere, left_, limit)) return false;
  left_.clear();
  return true;
}

std::string FolderLock::warning() const {
  if (!held_) {
    return cat("the disk of ", file_.string(),
               " knows no locks; start no second process on the same --out");
  }
  if (elsewhere_.empty()) return {};
  return cat(
      elsewhere_, " was at work in ", place_.string(),
      " and did not end it; if it still runs, its machine's locks do not reach this one: stop "
      "one of the two");
}

void FolderLock::release() noexcept {
  std::error_code ignored;
  if (held_ && !left_.empty()) {
    try {
      remove_left();  // by now they may be old enough
    } catch (const std::exception&) {
      left_.clear();  // they stay, and do no harm
    }
  }
  // While the lock is held, so that no other process's file is removed.
  if (held_) fs::remove(file_, ignored);
  if (descriptor_ >= 0) ::close(descriptor_);
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    if (::rmdir(folder->c_str()) != 0) break;
  }
}

}  // namespace dd
