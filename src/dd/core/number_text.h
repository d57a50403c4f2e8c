// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace dd {

/// The shortest text that gives the number back, such as "0.8" or "2": for names and keys.
std::string shortest_text(double value);

/// Numbers given as texts, each of which may be a list with commas: {"0.5,0.8", "1"}. Error(kUsage)
/// names the flag and a text that is no number.
std::vector<double> parse_numbers(const std::string& flag, const std::vector<std::string>& texts);

}  // namespace dd
