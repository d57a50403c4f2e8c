// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dd::io {

using Metadata = std::map<std::string, std::string>;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// What is known of a tensor without reading it.
struct TensorInfo {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
};

/// A file of named tensors, whatever its format.
class TensorFile {
 public:
  virtual ~TensorFile() = default;
  /// No name stands twice.
  virtual std::vector<TensorInfo> infos() const = 0;
  /// Facts beside the tensors, as text.
  virtual const Metadata& metadata() const = 0;
  /// A view of the file where the format allows it, which keeps the file mapped. Error(kInput)
  /// names file and tensor when it is missing.
  virtual at::Tensor tensor(const std::string& name) const = 0;
  /// Gives back the memory behind a tensor that was copied; it is read again when needed. Must not
  /// be called while the tensor, or its neighbour in the file, has been changed in place.
  virtual void release(const std::string& name) const = 0;
};

}  // namespace dd::io
