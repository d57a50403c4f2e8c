// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dd/image/image.h"
#include "dd/report/saved_run.h"
#include "dd/report/scores.h"

namespace dd::report {

/// The images of the data that was scored: by row, with their names.
struct ScoredImages {
  std::function<std::string(std::int64_t)> name;
  std::function<Image(std::int64_t)> image;
  std::int64_t size = 0;
};

/// Keeps small pictures of an evaluation's worst mistakes beside its predictions.csv
/// (mistakes.json, mistakes/00.png, …), so that the report needs no data set. Does nothing where
/// they are there already or nothing was predicted. Error(kInput) when the predictions are of other
/// images.
void save_mistakes(const std::filesystem::path& evaluation, const ScoredImages& images);

/// For each method of the first seed, what save_mistakes kept.
std::string mistake_section(const SavedRun& saved, const std::vector<MethodScores>& scores);

}  // namespace dd::report
