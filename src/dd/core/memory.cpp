// SPDX-License-Identifier: Apache-2.0
#include "dd/core/memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace dd {
namespace {

namespace fs = std::filesystem;

/// Names of a version's files, below /sys/fs/cgroup.
struct GroupFiles {
  const char* base;
  const char* limit;
  const char* usage;
  const char*
      reclaimable;  ///< entry of memory.stat: page cache that goes first when room is needed
};
constexpr GroupFiles kVersion1{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};
constexpr GroupFiles kVersion2{"", "memory.max", "memory.current", "inactive_file"};

/// Nothing for a file that is not there or begins with no number, such as "max".
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  // Version 1 writes "no limit" as a number near 2^63.
  if (std::int64_t value = 0; in >> value) return value;
  return std::nullopt;
}

/// The number after the word `name`.
std::optional<std::int64_t> entry_of(const fs::path& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    if (std::int64_t value = 0; word == name && in >> value) return value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> room_in(const fs::path& group, const GroupFiles& files) {
  const auto limit = number_in(group / files.limit);
  const auto usage = number_in(group / files.usage);
  if (!limit || !usage) return std::nullopt;
  const std::int64_t kept = *usage - entry_of(group / "memory.stat", files.reclaimable).value_or(0);
  return std::max<std::int64_t>(0, *limit - kept);
}

/// The least room of a group and those around it.
std::int64_t room_of_groups(const fs::path& root, const std::string& group,
                            const GroupFiles& files) {
  const fs::path top = root / "sys/fs/cgroup" / files.base;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (fs::path path = fs::path(group).relative_path();; path = path.parent_path()) {
    least = std::min(least, room_in(top / path, files).value_or(least));
    if (path.empty()) return least;
  }
}

/// Of `ulimit -v`; nothing where there is no limit.
std::optional<std::int64_t> room_of_limit(const fs::path& root) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const auto kibibytes = entry_of(root / "proc/self/status", "VmSize:");
  if (!kibibytes) return std::nullopt;
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - *kibibytes * 1024);
}

}  // namespace

PeakMemory::PeakMemory() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5";  // proc(5): resets VmHWM to what is resident now
  out.close();
  reset_ = static_cast<bool>(out);
}

std::optional<std::int64_t> PeakMemory::bytes() const {
  if (!reset_) return std::nullopt;
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    std::int64_t kibibytes = 0;
    if (word == "VmHWM:" && in >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

std::optional<std::int64_t> available_memory(const fs::path& root) {
  const auto left = room_of_limit(root);
  const auto kibibytes = entry_of(root / "proc/meminfo", "MemAvailable:");
  if (!kibibytes) return left;
  std::int64_t least = std::min(*kibibytes * 1024, left.value_or(*kibibytes * 1024));
  // Lines such as "4:memory:/group" and, of version 2, "0::/group".
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    least = std::min(least, room_of_groups(root, line.substr(second + 1),
                                           controllers.empty() ? kVersion2 : kVersion1));
  }
  return least;
}

}  // namespace dd
