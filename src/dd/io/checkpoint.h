// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dd/io/tensor_file.h"

namespace dd::io {

/// The weights of one model, in one file or in shards, safetensors or PyTorch's own, read on
/// demand.
class Checkpoint {
 public:
  /// Finds the weights in the folder: `stem.safetensors` (diffusers: "diffusion_pytorch_model",
  /// transformers: "model") or the `.bin` file of older versions (transformers: "pytorch_model"),
  /// each whole or sharded with an index, then the same with the half precision suffix `.fp16`.
  /// Error(kInput) lists what was looked for.
  static Checkpoint open(const std::filesystem::path& folder, const std::string& stem);
  /// One file, safetensors or PyTorch: its content says which.
  static Checkpoint open_file(const std::filesystem::path& file);

  /// Names in ascending order.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return places_.contains(name); }
  /// Known without reading the tensor.
  const TensorInfo& info(const std::string& name) const;
  at::Tensor tensor(const std::string& name) const;
  /// See TensorFile::release.
  void release(const std::string& name) const;
  /// Of the first file.
  const Metadata& metadata() const { return files_.front()->metadata(); }
  /// For messages: the file, or the folder when there are shards.
  const std::string& label() const { return label_; }
  /// The files behind it, for hashing.
  const std::vector<std::filesystem::path>& files() const { return paths_; }

 private:
  struct Place {
    std::size_t file;
    TensorInfo info;
  };
  static Checkpoint open_shards(const std::filesystem::path& index);
  void add(const std::filesystem::path& file);
  const Place& place(const std::string& name) const;

  std::string label_;
  std::vector<std::filesystem::path> paths_;
  std::vector<std::shared_ptr<const TensorFile>> files_;
  std::map<std::string, Place> places_;
};

}  // namespace dd::io
