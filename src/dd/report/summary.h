// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd::report {

/// One method over all its seeds.
struct SummaryRow {
  std::string method;
  std::string mode;  ///< "class", "dataset" or "none"
  std::int64_t runs = 0;
  double mean = 0;               ///< top-1, a share
  double deviation = 0;          ///< sample standard deviation over the seeds; 0 for a single one
  std::int64_t n = 0;            ///< test images
  Json effort = Json::object();  ///< run::Effort of the first seed; empty in older files
  double seconds = 0;            ///< of adaptation, generation and training, mean over the seeds
};

/// Groups the entries of results.json by method and mode: baselines first, then as they appear.
/// Error(kInput) for entries that are no results.
std::vector<SummaryRow> summarise(const Json& results);

/// "synthetic+real (class)".
std::string row_name(const SummaryRow& row);
/// The same of an entry of results.json.
std::string name_of_result(const Json& entry);
/// "64.20" or "64.20 ± 0.81", in percent.
std::string accuracy_text(const SummaryRow& row);

/// Headings and cells of what a method was given: images that its classifier saw in training, and
/// floating-point operations of adapting, drawing and training. Cells are "-" for what it did not
/// need or the file does not say.
std::vector<std::string> effort_columns();
std::vector<std::string> effort_texts(const Json& effort);
/// "1.5e12"; "-" for none.
std::string flops_text(double flops);

/// Aligned lines for a terminal.
std::string summary_table(const std::vector<SummaryRow>& rows);

}  // namespace dd::report
