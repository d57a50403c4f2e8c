// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace dd {

/// Mean and sample standard deviation (over n − 1), 0 for a single value.
struct Spread {
  double mean = 0;
  double deviation = 0;
};

/// The values must not be empty.
Spread spread_of(std::span<const double> values);

}  // namespace dd
