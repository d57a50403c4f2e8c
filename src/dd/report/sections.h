// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dd/report/saved_run.h"
#include "dd/report/scores.h"
#include "dd/report/settings.h"

namespace dd::report {

// The parts of the page, each a <section>; empty where the run holds nothing for it.

std::string summary_section(const SavedRun& saved, const std::vector<MethodScores>& scores);
/// The kinds of synthetic images as stages and readers name them: ("frozen", "model as it is"), …
const std::vector<std::pair<std::string, std::string>>& picture_kinds();
/// For each class: real shots, the model as it is, and as adapted in each mode.
std::string picture_section(const SavedRun& saved);
std::string curve_section(const SavedRun& saved, const std::vector<MethodScores>& scores);
/// How alike real and synthetic images are, before and after adaptation: figures, features in two
/// dimensions, nearest neighbours, from the stages align-* and projection.json.
std::string alignment_section(const SavedRun& saved);
/// Top-1 by class and method, means over the seeds.
std::string class_section(const SavedRun& saved, const std::vector<MethodScores>& scores);
/// Confusion matrices; of many classes, the pairs that are confused most.
std::string confusion_section(const SavedRun& saved, const std::vector<MethodScores>& scores);
/// Time and memory of each stage.
std::string cost_section(const SavedRun& saved);
/// The shots of each seed and each classifier, for the section of hashes.
std::vector<HashedFile> hashed_files(const SavedRun& saved);

}  // namespace dd::report
