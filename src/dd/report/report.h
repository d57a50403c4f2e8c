// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace dd::report {

/// Writes OUT/report.html from what `run` saved in OUT, and from nothing else: the table, real
/// shots beside images of the model as it is and as adapted, loss curves, accuracy by class,
/// settings. One file that opens without a network. Error(kInput) when OUT holds no finished run or
/// its files are damaged.
void write_report(const std::filesystem::path& folder);

}  // namespace dd::report
