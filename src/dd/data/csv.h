// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dd {

struct CsvRow {
  std::vector<std::string> fields{};
  std::int64_t line = 0;  ///< where the row begins, from 1
};

/// Rows of comma-separated values as RFC 4180 has them: fields may stand in quotes and then hold
/// commas, line ends and doubled quotes. Empty lines are left out, a byte order mark is ignored.
/// Error(kInput) names `where` and the line of a quote that is not closed or has text behind it.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& where);

}  // namespace dd
