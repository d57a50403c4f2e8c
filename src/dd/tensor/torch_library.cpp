// SPDX-License-Identifier: Apache-2.0
#include "dd/tensor/torch_library.h"

#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <link.h>
#include <torch/version.h>

#include "dd/core/error.h"

namespace dd {
namespace {

/// What stands between `start` and the next of `ends` in the text; empty where there is none.
std::string word_after(const std::string& text, const std::string& start, const char* ends) {
  const std::size_t at = text.find(start);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + start.size();
  return text.substr(begin, text.find_first_of(ends, begin) - begin);
}

/// The version of the CUDA that LibTorch's kernels are linked with, such as "13.2", which its
/// configuration names only where there is a device; empty without.
std::string cuda_runtime() {
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  if (!cuda.hasCUDART()) return "";
  const auto number = cuda.versionCUDART();  // 13020
  return cat(number / 1000, '.', number % 1000 / 10);
}

int note_libtorch(dl_phdr_info* object, std::size_t, void* into) {
  const std::filesystem::path file(object->dlpi_name);
  if (!file.filename().string().starts_with("libtorch_cpu.")) return 0;
  *static_cast<std::filesystem::path*>(into) = file;
  return 1;
}

}  // namespace

TorchLibrary torch_library() {
  TorchLibrary found{.built_with = TORCH_VERSION};
  const std::string config = at::show_config();
  found.version = word_after(config, "TORCH_VERSION=", ", \n");
  if (found.version.empty()) found.version = found.built_with;
  const std::string cuda = cuda_runtime();
  found.kind = !cuda.empty() ? "CUDA " + cuda : "CPU";
  if (config.find("HIP Runtime") != std::string::npos) found.kind = "ROCm";
  ::dl_iterate_phdr(note_libtorch, &found.libtorch);
  std::error_code unknown;
  if (const auto plain = std::filesystem::canonical(found.libtorch, unknown); !unknown)
    found.libtorch = plain;
  return found;
}

}  // namespace dd
