// SPDX-License-Identifier: Apache-2.0
#include "dd/core/statistics.h"

#include <cmath>

#include "dd/core/error.h"

namespace dd {

Spread spread_of(std::span<const double> values) {
  ensure(!values.empty(), "the mean of nothing was asked for");
  const auto count = static_cast<double>(values.size());
  Spread spread;
  for (const double value : values) spread.mean += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  if (values.size() > 1) spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

}  // namespace dd
