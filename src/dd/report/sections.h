// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dd/report/saved_run.h"

namespace dd::report {

// The parts of the page, each a <section>.

std::string summary_section(const SavedRun& saved);
/// For each class: real shots, the model as it is, and as adapted in each mode.
std::string picture_section(const SavedRun& saved);
std::string curve_section(const SavedRun& saved);
/// Top-1 by class and method, means over the seeds.
std::string class_section(const SavedRun& saved);
std::string settings_section(const SavedRun& saved);

}  // namespace dd::report
