// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/json.h"
#include "dd/report/chart.h"

namespace dd::report {

/// Writes OUT/report.html from OUT/sweep.json, which `sweep` wrote, and from nothing else: a plot
/// for each setting that was varied as a number, the table, the settings. Error(kInput) when OUT
/// holds no sweep or its file is damaged.
void write_sweep_report(const std::filesystem::path& folder);

/// Accuracy over one setting, from the rows of sweep.json: a line for all that differs in this
/// setting alone, with a band of one standard deviation; what the setting means nothing to (it is
/// null, or 0 where shots or images are counted) as a dashed line across. Without series where no
/// line has two points. More lines than colours make a chart for each method.
std::vector<Chart> scaling_charts(const Json& rows, const std::string& setting);

/// Accuracy over what drawing one image costs, laid out alike: a line for all that differs in the
/// number of sampling steps alone, which may have a single point. Empty where all cost the same.
std::vector<Chart> cost_charts(const Json& rows);

}  // namespace dd::report
