// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace dd::test {

/// A disk of `bytes` in memory, mounted on a folder as long as it lives. Mounting takes root:
/// problem() says why it failed, and then the folder is like any other.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path place, std::size_t bytes)
      : place_(std::move(place)), size_("size=" + std::to_string(bytes)) {
    std::filesystem::create_directories(place_);
    mounted_ = ::mount("datadream-test", place_.c_str(), "tmpfs", 0, size_.c_str()) == 0;
    if (!mounted_) problem_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(place_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& problem() const { return problem_; }
  const std::filesystem::path& path() const { return place_; }

  /// Fills it but for `bytes`, with one file; fill(0) of a full disk leaves nothing.
  void leave(std::uintmax_t bytes) const {
    std::filesystem::remove(ballast());
    const std::uintmax_t free = std::filesystem::space(place_).available;
    std::ofstream out(ballast(), std::ios::binary);
    const std::string block(1024, '\0');
    for (std::uintmax_t done = bytes; done < free && out; done += block.size())
      out.write(block.data(), static_cast<std::streamsize>(block.size()));
  }
  void make_room() const { std::filesystem::remove(ballast()); }
  bool make_read_only() const {
    return ::mount(nullptr, place_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  bool make_writable() const {
    return ::mount(nullptr, place_.c_str(), nullptr, MS_REMOUNT, size_.c_str()) == 0;
  }

 private:
  std::filesystem::path ballast() const { return place_ / "ballast"; }

  std::filesystem::path place_;
  std::string size_;
  std::string problem_;
  bool mounted_ = false;
};

}  // namespace dd::test
