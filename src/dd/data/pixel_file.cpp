// SPDX-License-Identifier: Apache-2.0
#include "dd/data/pixel_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd {

PixelFile::PixelFile(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.has_parent_path()) make_folder(path_.parent_path());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail("make");
  ::unlink(path_.c_str());
}

PixelFile::~PixelFile() {
  if (mapped_) ::munmap(const_cast<std::uint8_t*>(mapped_), static_cast<std::size_t>(mapped_size_));
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PixelFile::fail(const char* action) const {
  fail_resource(cat("cannot ", action, " the image cache ", path_.string(), ": ",
                    std::strerror(errno), "; free space there, or choose another --out"));
}

std::int64_t PixelFile::add(std::span<const std::uint8_t> bytes) {
  ensure(!mapped_, "a mapped file does not grow");
  const std::int64_t begin = size_.fetch_add(std::ssize(bytes));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done,
                                   begin + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("write");
    done += static_cast<std::size_t>(count);
  }
  return begin;
}

void PixelFile::map() {
  mapped_size_ = size_.load();
  if (mapped_size_ == 0) return;
  void* const place = ::mmap(nullptr, static_cast<std::size_t>(mapped_size_), PROT_READ, MAP_SHARED,
                             descriptor_, 0);
  if (place == MAP_FAILED) fail("map");
  mapped_ = static_cast<const std::uint8_t*>(place);
}

std::span<const std::uint8_t> PixelFile::bytes(std::int64_t begin, std::int64_t count) const {
  ensure(begin >= 0 && count >= 0 && begin + count <= mapped_size_, "bytes outside the pixel file");
  return {mapped_ + begin, static_cast<std::size_t>(count)};
}

}  // namespace dd
