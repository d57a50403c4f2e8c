// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace dd {

/// The LibTorch that this process runs with; another one than it was built with may be found when
/// the program starts.
struct TorchLibrary {
  std::string version{};             ///< "2.13.0"
  std::string built_with{};          ///< version of the headers
  std::string kind{};                ///< "CPU", "CUDA 12.6" or "ROCm"
  std::filesystem::path libtorch{};  ///< file of libtorch_cpu; empty when it is not to be found out
};

TorchLibrary torch_library();

}  // namespace dd
