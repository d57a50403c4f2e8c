// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace dd {

/// Lines with their cells in columns, for a terminal: the first column to the left, the others to
/// the right. A multi-byte letter takes one place. All lines must have the same number of cells.
std::string text_table(const std::vector<std::vector<std::string>>& lines);

}  // namespace dd
