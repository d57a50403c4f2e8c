// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/data/dataset.h"
#include "dd/run/options.h"

namespace dd::run {

/// What a run works on, found and checked.
struct Setup {
  RunOptions options;
  CommonOptions common;  ///< --out and the rest; seed and folder of a stage are filled in there
  std::vector<std::int64_t> seeds{};
  std::filesystem::path model{};
  std::filesystem::path clip{};
  std::string model_hash{};  ///< see io/fingerprint.h
  std::string clip_hash{};
  std::shared_ptr<const Dataset> data{};  ///< the split of the shots
  std::int64_t test_images = 0;

  std::filesystem::path seed_folder(std::int64_t seed) const;
  /// Options of a stage that writes to `folder` with this seed.
  CommonOptions stage_common(const std::filesystem::path& folder, std::int64_t seed) const;
};

/// Finds the models and the data and draws and decodes every seed's shots, without writing.
/// Error(kInput) or Error(kUsage) for what is missing, damaged or too few, and when OUT holds a run
/// of other settings and --force was not given.
Setup prepare(const RunOptions& options, const CommonOptions& common, Context& context);

/// Writes OUT/run.json: settings, hashes, classes and their folders.
void write_run_file(const Setup& setup);

/// Draws the few shots of a seed once for all its stages: shots.json in the seed's folder, and up
/// to eight small pictures a class in shots/<class>/ for the report. False when they were there.
bool write_seed_shots(const Setup& setup, std::int64_t seed);

}  // namespace dd::run
