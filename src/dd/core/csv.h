// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace dd {

/// A field of a line of CSV (RFC 4180): in quotes where a comma, a quote or a line end would
/// mislead.
std::string csv_field(const std::string& text);

}  // namespace dd
