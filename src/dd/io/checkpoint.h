// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dd/io/safetensors.h"

namespace dd::io {

/// The weights of one model, in one file or in shards, read on demand.
class Checkpoint {
 public:
  /// Finds `stem.safetensors`, `stem.fp16.safetensors` or a sharded `stem.safetensors.index.json`
  /// in the folder (diffusers: "diffusion_pytorch_model", transformers: "model"). Error(kInput)
  /// lists what was looked for.
  static Checkpoint open(const std::filesystem::path& folder, const std::string& stem);
  /// One file.
  static Checkpoint open_file(const std::filesystem::path& file);

  /// Names in ascending order.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return location_.contains(name); }
  at::Tensor tensor(const std::string& name) const;
  const Metadata& metadata() const { return files_.front().metadata(); }
  /// For messages: the file, or the folder when there are shards.
  const std::string& label() const { return label_; }
  /// The files behind it, for hashing.
  const std::vector<std::filesystem::path>& files() const { return paths_; }

 private:
  void add(const std::filesystem::path& file);

  std::string label_;
  std::vector<std::filesystem::path> paths_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t> location_;
};

}  // namespace dd::io
