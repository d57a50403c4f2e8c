// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dd::report {

/// An image that a classifier took for something else.
struct Mistake {
  std::int64_t row = 0;  ///< of the image in the data that was scored, from 0
  std::string file;      ///< the image's name there
  std::int64_t label = 0;
  std::int64_t predicted = 0;
  double confidence = 0;  ///< softmax of the predicted class's logit
  double truth = 0;       ///< softmax of the right class's
};

/// The mistakes of `evaluate`'s predictions.csv that the classifier was most sure of, the surest
/// first (of equal ones the first row). Error(kInput) names the line of a file that is none.
std::vector<Mistake> worst_mistakes(const std::filesystem::path& predictions, std::size_t count);

}  // namespace dd::report
