// SPDX-License-Identifier: Apache-2.0
#include "dd/ranks/join.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>

#include "dd/core/error.h"
#include "dd/ranks/mpi_module.h"

namespace dd {
namespace {

namespace fs = std::filesystem;

/// Beside the program, as it is built, or where the installation puts it: seen from the program,
/// or, for programs of others, where it was said to go when the library was built.
fs::path find_module() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& place : {folder, (folder / DD_MODULES_FROM_PROGRAM).lexically_normal(),
                                fs::path(DD_MODULES_INSTALLED)}) {
    if (fs::exists(place / kMpiModule, error)) return place / kMpiModule;
  }
  return {};
}

[[noreturn]] void refuse(const Launch& launch, const std::string& why) {
  fail_usage(cat("started as ", launch.count, " processes (", launch.variable, "), but ", why,
                 "; start one process, divide the work by hand with --shard I/N, or unset ",
                 launch.variable, " where each is to work alone"));
}

/// Why dlopen or dlsym failed.
std::string reason() {
  const char* text = ::dlerror();
  return text == nullptr ? "no reason given" : text;
}

JoinMpi* load_module(const Launch& launch) {
  const fs::path module = find_module();
  if (module.empty()) {
    refuse(launch, cat(kMpiModule, ", a part of datadream, is not beside the program"));
  }
  // It stays as long as the process. MPI's own parts look for its symbols among all there are.
  void* loaded = ::dlopen(module.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (loaded == nullptr) {
    refuse(launch, cat("MPI, which this program was built with, cannot be loaded (", reason(),
                       "); install it or load its module"));
  }
  void* symbol = ::dlsym(loaded, kJoinMpi);
  if (symbol == nullptr) refuse(launch, cat(module.string(), " is of another program"));
  return reinterpret_cast<JoinMpi*>(symbol);
}

}  // namespace

std::unique_ptr<Ranks> join_ranks(const Launch& launch) {
  std::unique_ptr<Ranks> ranks;
  load_module(launch)(launch, ranks);
  return ranks;
}

}  // namespace dd
