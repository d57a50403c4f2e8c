// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace dd::io {

/// Bytes that stay where they are as long as the object lives: a file mapped into memory (copy on
/// write, so the file is never changed, and nothing is read before it is used), or plain memory.
class Bytes {
 public:
  /// Error(kInput) names a path that is not a readable plain file.
  static std::shared_ptr<const Bytes> map(const std::filesystem::path& path);
  static std::shared_ptr<const Bytes> own(std::string content);
  ~Bytes();
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  std::string_view view() const { return {data_, size_}; }

  /// Gives the memory of a part of a mapped file back; it is read again when it is next used. What
  /// was changed in memory there, and in the rest of the first and last page, is lost. Plain memory
  /// stays.
  void release(std::string_view part) const;

 private:
  Bytes() = default;

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::string owned_;
  bool mapped_ = false;
};

}  // namespace dd::io
