// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace dd {

/// A field of a CSV line as RFC 4180 has it: in quotes where a comma, a quote or a line end would
/// mislead.
std::string csv_field(const std::string& text);

}  // namespace dd
