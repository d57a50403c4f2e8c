// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"

namespace dd::test {

/// Whether the program was built with MPI: targets that include this are given DD_MPIEXEC, the
/// launcher of that MPI, by their CMakeLists.txt; empty without.
inline bool has_mpi() {
  return std::string(DD_MPIEXEC) != "";
}

/// Calls the launcher with these words.
inline ProcessResult call_launcher(std::vector<std::string> words, ProcessOptions options) {
  // Tests may run as root, on fewer cores than there are ranks, and beside each other.
  options.environment.insert({{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                              {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                              {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                              {"OMPI_MCA_hwloc_base_binding_policy", "none"}});
  words.insert(words.begin(), DD_MPIEXEC);
  return run_process(words, options);
}

/// Starts a command as several ranks on this machine.
inline ProcessResult launch(int ranks, const std::vector<std::string>& command,
                            const ProcessOptions& options = {}) {
  std::vector<std::string> words{"-n", std::to_string(ranks)};
  words.insert(words.end(), command.begin(), command.end());
  return call_launcher(words, options);
}

/// Runs the real program as several ranks.
inline ProcessResult on_ranks(int ranks, std::vector<std::string> arguments,
                              const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), DD_PROGRAM);
  return launch(ranks, arguments, options);
}

/// Whether the launcher can do what on_unlike_ranks asks for; srun would start several jobs.
inline bool starts_unlike_ranks() {
  return std::filesystem::path(DD_MPIEXEC).filename() != "srun";
}

/// Runs it as ranks of which each has arguments of its own.
inline ProcessResult on_unlike_ranks(const std::vector<std::vector<std::string>>& arguments,
                                     const ProcessOptions& options = {}) {
  std::vector<std::string> words;
  for (const std::vector<std::string>& own : arguments) {
    if (!words.empty()) words.emplace_back(":");
    words.insert(words.end(), {"-n", "1", DD_PROGRAM});
    words.insert(words.end(), own.begin(), own.end());
  }
  return call_launcher(words, options);
}

/// The program's own lines on standard error; launchers add theirs.
inline std::vector<std::string> own_lines(const std::string& err) {
  std::vector<std::string> lines;
  std::istringstream in(err);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("datadream: ")) lines.push_back(line);
  }
  return lines;
}

}  // namespace dd::test
