// SPDX-License-Identifier: Apache-2.0
#include "dd/io/bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dd/core/error.h"

namespace dd::io {

std::shared_ptr<const Bytes> Bytes::map(const std::filesystem::path& path) {
  // Without waiting for whoever writes into a pipe, which is refused below.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0)
    fail_input(cat("cannot open ", path.string(), ": ", std::strerror(errno), "; check the path"));
  const std::shared_ptr<Bytes> bytes(new Bytes);
  struct stat status {};
  int problem = 0;
  const bool plain = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (plain && status.st_size > 0) {
    bytes->size_ = static_cast<std::size_t>(status.st_size);
    // Private and writable: a tensor may be changed in memory without touching the file.
    void* address = ::mmap(nullptr, bytes->size_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
    bytes->mapped_ = address != MAP_FAILED;
    problem = errno;
    if (bytes->mapped_) bytes->data_ = static_cast<char*>(address);
  }
  ::close(descriptor);
  if (!plain) {
    fail_input(
        cat("cannot read ", path.string(), ": it is not a plain file; name a file of weights"));
  }
  if (bytes->size_ > 0 && !bytes->mapped_)
    fail_resource(cat("cannot map ", path.string(), " into memory: ", std::strerror(problem),
                      "; close other programs or raise the limit of memory (ulimit -v)"));
  return bytes;
}

std::shared_ptr<const Bytes> Bytes::own(std::string content) {
  const std::shared_ptr<Bytes> bytes(new Bytes);
  bytes->owned_ = std::move(content);
  bytes->data_ = bytes->owned_.data();
  bytes->size_ = bytes->owned_.size();
  return bytes;
}

Bytes::~Bytes() {
  if (mapped_) ::munmap(data_, size_);
}

void Bytes::release(std::string_view part) const {
  if (!mapped_ || part.empty()) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = static_cast<std::size_t>(part.data() - data_) / page * page;
  const auto end = static_cast<std::size_t>(part.data() - data_) + part.size();
  // Advice: where the system does not take it, memory is only given back later.
  ::madvise(data_ + begin, std::min(size_, end) - begin, MADV_DONTNEED);
}

}  // namespace dd::io
