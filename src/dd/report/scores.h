// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/report/saved_run.h"
#include "dd/report/summary.h"

namespace dd::report {

/// What the evaluations of one method measured, over its seeds.
struct MethodScores {
  SummaryRow row;
  std::string name;  ///< as tables say it
  Json shown{};      ///< the first seed's entry of results.json; null where there is none
  double top5 = 0;   ///< mean share; NaN where it was not measured
  double ece = 0;    ///< mean calibration error; NaN likewise
  std::vector<double> per_class{};  ///< mean share; NaN for a class without images
  std::vector<std::vector<std::int64_t>> confusion{};  ///< sums; [label][predicted]
};

/// All methods in the order of the summary. Error(kInput) for metrics.json files that do not fit
/// the run's classes.
std::vector<MethodScores> method_scores(const SavedRun& saved);

}  // namespace dd::report
