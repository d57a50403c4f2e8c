// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dd::io {

using Metadata = std::map<std::string, std::string>;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// One tensor as the header describes it; offsets count from the end of the header.
struct TensorEntry {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// The header of a safetensors file, checked: sizes fit the data, nothing overlaps, no name twice.
struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  ///< in the order of their data
  Metadata metadata;
  std::uint64_t data_begin = 0;  ///< first byte of the data in the file
};

/// Parses the front of a file of `file_size` bytes of which `front` holds at least the header.
/// `label` names the file in errors. Error(kInput) on anything that does not fit.
SafetensorsHeader parse_safetensors_header(std::string_view front, std::uint64_t file_size,
                                           const std::string& label);

/// A file mapped into memory. Tensors are views of the mapping (copy on write, so the file is never
/// changed) and keep it alive; nothing is read before it is used.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::vector<TensorEntry>& entries() const { return header_.entries; }
  const Metadata& metadata() const { return header_.metadata; }
  bool contains(const std::string& name) const { return index_.contains(name); }
  /// Error(kInput) names file and tensor when it is missing.
  at::Tensor tensor(const std::string& name) const;

 private:
  std::filesystem::path path_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t> index_;
  std::shared_ptr<const void> mapping_;
  const char* data_ = nullptr;
};

/// Writes the tensors in the given order, atomically. They may live on any device.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata = {});

}  // namespace dd::io
