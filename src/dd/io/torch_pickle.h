// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/io/pickle.h"
#include "dd/io/tensor_file.h"
#include "dd/io/tensor_view.h"

namespace dd::io {

/// A run of numbers that stands outside of the pickle, under a key; several tensors may share one.
struct TorchStorage {
  std::string key;
  at::ScalarType dtype = at::kFloat;
  std::uint64_t count = 0;
};

struct TorchTensor {
  std::string name;
  std::size_t storage = 0;   ///< which of the storages
  std::uint64_t offset = 0;  ///< of its first element there; its span fits
  TensorLayout layout;
};

/// What the pickle of a PyTorch file describes (torch/serialization.py, torch/_utils.py).
struct TorchContents {
  std::vector<TorchStorage> storages;  ///< all that the pickle names, needed or not
  std::vector<TorchTensor> tensors;
  Metadata metadata;
};

/// Finds the tensors, see TorchFile for how they are named. Error(kInput) names `label`, the tensor
/// and what it needs that is not known.
TorchContents find_tensors(const Pickle& pickle, const std::string& label);

}  // namespace dd::io
