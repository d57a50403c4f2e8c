// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dd/core/common_options.h"
#include "dd/core/context.h"
#include "dd/core/json.h"
#include "dd/data/dataset.h"
#include "dd/run/leak_check.h"
#include "dd/run/model_costs.h"
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
  RunImages images{};
  std::int64_t test_images = 0;
  ModelCosts costs{};

  /// Options of a stage that writes to `folder` with this seed.
  CommonOptions stage_common(const std::filesystem::path& folder, std::int64_t seed) const;
};

/// Finds the models and the data and draws and decodes every seed's shots, without writing.
/// Error(kInput) or Error(kUsage) for what is missing, damaged or too few.
Setup find_inputs(const RunOptions& options, const CommonOptions& common, Context& context);

/// A file that says what the work in OUT follows from.
struct Identity {
  const char* file;               ///< "run.json"
  std::vector<std::string> free;  ///< settings that may change from call to call
};

/// What all work in OUT follows from, besides the images.
Json models_and_settings(const Setup& setup, const Identity& identity);

/// Error(kUsage) when OUT holds work of other settings, models or held-out images and --force was
/// not given.
void check_earlier(const Setup& setup, const Identity& identity);

/// Fills in what the models cost: from the file, or by loading both where nothing was written yet.
/// Damaged weights should be known before the first file is written, not an hour later.
void find_costs(Setup& setup, const Identity& identity);

/// Says what the work will take, and warns where that does not fit: `bytes` of images and adapters
/// on the disk, where there are any, and the weights of both models, which stages load one at a
/// time, in memory.
void report_room(const Setup& setup, std::int64_t bytes, Reporter& report);

/// What such a file holds: settings, hashes, classes and their folders.
Json describe_setup(const Setup& setup, const Identity& identity);

struct ShotDraw {
  std::int64_t seed = 0;
  std::int64_t shots = 0;
  std::filesystem::path folder;
};

/// Draws few shots once for all stages that use them: FOLDER.json, and up to eight small pictures a
/// class in FOLDER/<class>/ for the report. False when they were there.
bool write_shots_stage(const Setup& setup, const ShotDraw& draw);

}  // namespace dd::run
