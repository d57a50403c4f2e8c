// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/align/copies.h"
#include "dd/core/json.h"
#include "dd/metrics/alignment.h"

namespace dd::align {

/// The measures of all images, and of each class by name.
struct Measures {
  Alignment all;
  std::vector<std::pair<std::string, Alignment>> classes;
};

/// One set of measures as metrics.json has them; figures that are not known become null.
Json alignment_json(const Alignment& alignment);

/// The check for copies as metrics.json has it.
Json copies_json(const CopyCheck& check, std::int64_t shots);

/// A line for all images and one for each class, from what metrics.json holds.
std::string alignment_table(const Json& metrics);

}  // namespace dd::align
