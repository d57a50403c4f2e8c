// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dd/core/json.h"
#include "dd/run/stages.h"

namespace dd::sweep {

/// The measured cells of a sweep: cell.json in the folder of each one's evaluation, written last.
class CellFiles {
 public:
  /// `identity` is what all cells of OUT follow from besides their own settings.
  CellFiles(std::filesystem::path out, std::string identity)
      : out_(std::move(out)), identity_(std::move(identity)) {}

  /// The entry of a cell that was measured with these settings; none where it was not.
  std::optional<Json> find(const run::Measurement& measured) const;
  void write(const run::Measurement& measured, const Json& entry) const;

 private:
  std::filesystem::path file(const run::Measurement& measured) const;
  std::string key(const run::Measurement& measured) const;

  std::filesystem::path out_;
  std::string identity_;
};

}  // namespace dd::sweep
