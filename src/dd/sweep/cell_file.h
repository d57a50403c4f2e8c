// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "dd/core/json.h"
#include "dd/run/stages.h"

namespace dd::sweep {

/// The measured cells of a sweep: cell.json in the folder of each one's evaluation, written last.
class CellFiles {
 public:
  /// `identity` is what all cells of OUT follow from besides their own settings and images.
  CellFiles(const run::Setup& setup, std::string identity)
      : setup_(setup), identity_(std::move(identity)) {}

  /// The entry of a cell that was measured with these settings and on these images; none where it
  /// was not.
  std::optional<Json> find(const run::Measurement& measured) const;
  void write(const run::Measurement& measured, const Json& entry) const;

 private:
  std::filesystem::path file(const run::Measurement& measured) const;
  std::string key(const run::Measurement& measured) const;
  Json images(const run::Measurement& measured) const;

  const run::Setup& setup_;
  std::string identity_;
  /// By seed and number; of a large data set they take a while to draw.
  mutable std::map<std::pair<std::int64_t, std::int64_t>, std::string> shots_hashes_;
};

}  // namespace dd::sweep
