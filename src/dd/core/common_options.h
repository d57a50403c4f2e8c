// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "dd/core/fields.h"

namespace dd {

/// What every stage understands, whatever it does. Plain texts and numbers, so that folders without
/// LibTorch can read it; `tensor` turns device and dtype into LibTorch's own types.
struct CommonOptions final : Options {
  std::string device = "auto";     ///< "cpu", "cuda", "cuda:N" or "auto"
  std::string dtype = "auto";      ///< "f32", "bf16", "f16" or "auto"
  std::int64_t threads = 0;        ///< 0 = as many as there are cores
  std::int64_t seed = 0;           ///< root of every random choice of the run
  std::filesystem::path out;       ///< folder for the results; empty where a stage writes nothing
  bool force = false;              ///< start over instead of completing what is there
  bool quiet = false;              ///< warnings and errors only
  bool verbose = false;            ///< progress line by line, even on a terminal
  std::filesystem::path log_json;  ///< progress and messages as JSON lines; empty = none
  bool dry_run = false;            ///< say what would be done and what it costs; write nothing
  bool profile = false;            ///< say at the end where the time went

  void visit(FieldVisitor& visitor) override;

  /// Ranges, choices and the form of `device`; Error(kUsage) names the flag.
  void check() const;
};

}  // namespace dd
