// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "dd/core/error.h"

namespace dd::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Calls a reader. It may refuse the bytes, in one line of bounded length; any other exception goes
/// through and ends the program.
template <class Read>
void may_refuse(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    constexpr std::size_t kLongest = 10'000;
    const bool refusal = error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kUsage;
    if (!refusal) throw std::logic_error(std::string("not a refusal: ") + error.what());
    if (std::string_view(error.what()).size() > kLongest) throw std::logic_error("a long refusal");
  }
}

/// Bytes as a file that lies in memory, for readers that take a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("memfd_create failed");
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count <= 0) throw std::runtime_error("cannot write to memory");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// A folder for readers that take one, in memory where the system has such a place. One a process.
class InputFolder {
 public:
  InputFolder() {
    std::error_code none;
    const std::filesystem::path memory = "/dev/shm";
    const bool has = std::filesystem::is_directory(memory, none);
    path_ = (has ? memory : std::filesystem::temp_directory_path()) /
            ("datadream-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~InputFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void put(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_ / name); }

 private:
  std::filesystem::path path_;
};

/// One input that stands for several files: its parts, cut at each byte 0; the last takes the rest.
template <std::size_t kParts>
std::array<std::string_view, kParts> cut_at_zeros(std::string_view bytes) {
  std::array<std::string_view, kParts> parts{};
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t end = i + 1 < kParts ? bytes.find('\0') : bytes.npos;
    parts[i] = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  }
  return parts;
}

}  // namespace dd::fuzz

/// What libFuzzer calls; each file beside this one defines it for one reader.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
