// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dd/io/bytes.h"
#include "dd/io/tensor_file.h"

namespace dd::io {

/// One tensor as the header describes it; offsets count from the end of the header.
struct TensorEntry : TensorInfo {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
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

/// A safetensors file in memory. Tensors are views of it and keep it alive.
class SafetensorsFile final : public TensorFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  SafetensorsFile(std::shared_ptr<const Bytes> bytes, std::string label);

  const std::vector<TensorEntry>& entries() const { return header_.entries; }
  std::vector<TensorInfo> infos() const override;
  const Metadata& metadata() const override { return header_.metadata; }
  bool contains(const std::string& name) const { return index_.contains(name); }
  at::Tensor tensor(const std::string& name) const override;
  void release(const std::string& name) const override;

 private:
  const TensorEntry& entry(const std::string& name) const;
  std::string_view content(const TensorEntry& entry) const;

  std::shared_ptr<const Bytes> bytes_;
  std::string label_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t> index_;
};

/// Writes the tensors in the given order, atomically. They may live on any device.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata = {});

}  // namespace dd::io
