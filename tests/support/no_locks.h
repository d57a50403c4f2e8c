// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace dd::test {

/// While one lives, no disk knows locks, as some network disks do not.
class NoLocks {
 public:
  NoLocks() { active() = true; }
  ~NoLocks() { active() = false; }
  NoLocks(const NoLocks&) = delete;
  NoLocks& operator=(const NoLocks&) = delete;

  static bool& active() {
    static bool is_active = false;
    return is_active;
  }
};

}  // namespace dd::test

/// In place of the C library's, which nothing else can be made to fail; one file of a test program
/// includes this.
extern "C" int flock(int descriptor, int how) noexcept {
  if (!dd::test::NoLocks::active()) return static_cast<int>(::syscall(SYS_flock, descriptor, how));
  errno = ENOLCK;
  return -1;
}
