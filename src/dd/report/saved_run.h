// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/image/image.h"
#include "dd/report/chart.h"

namespace dd::report {

/// What `run` saved in a folder, for reading.
struct SavedRun {
  std::filesystem::path folder;
  Json run;      ///< run.json
  Json results;  ///< results.json
  Json stages;   ///< stages.json; empty where there is none
  std::vector<std::string> class_names{};
  std::vector<std::string> class_folders{};
  std::int64_t seed = 0;  ///< the first, of which pictures and curves are shown

  /// Error(kInput) when the folder holds no finished run.
  static SavedRun load(const std::filesystem::path& folder);

  std::filesystem::path seed_folder() const;
  /// A stage's folder that results.json names; Error(kInput) for one that leaves the run's.
  std::filesystem::path inside(const std::string& name) const;
  /// The first pictures (PNG, by name) of a class below a folder of class folders; none where there
  /// is no such folder.
  std::vector<Image> pictures(const std::string& set, std::size_t label, std::size_t count) const;
};

/// Reads a curve [[step, value], …]; none where the value is something else.
std::vector<std::pair<double, double>> curve_of(const Json& value);

/// Loss and fixed-noise loss of an adaptation (a stage's folder), in class mode the means over the
/// classes. None where the stage did not run.
std::vector<Series> adaptation_curves(const SavedRun& saved, const std::string& mode);

}  // namespace dd::report
