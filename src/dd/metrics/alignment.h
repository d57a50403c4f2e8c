// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/context.h"
#include "dd/metrics/resampling.h"

namespace dd {

struct AlignmentOptions {
  std::int64_t kid_subsets = 100;
  std::int64_t kid_subset_size = 0;  ///< 0 = half of the smaller set, at most 1000
  std::int64_t half_samples = 100;   ///< for the intervals; 0 = no intervals
  double level = 0.95;               ///< of the intervals
  bool unit_length = false;          ///< CMMD takes the features at unit length
  std::uint64_t seed = 0;
};

/// The figures that intervals are given for, by name, as metrics.json has them.
inline constexpr std::array<const char*, 7> kAlignmentFigures{
    "fid", "kid", "cmmd", "precision", "recall", "density", "coverage"};
using AlignmentFigures = std::array<double, kAlignmentFigures.size()>;

/// How alike two sets of images are. NaN where a set is too small for a figure.
struct Alignment {
  std::int64_t real = 0;  ///< images
  std::int64_t synthetic = 0;
  AlignmentFigures figures{};
  std::array<Interval, kAlignmentFigures.size()> intervals{};  ///< NaN without half-samples
  std::optional<double> fid_infinity;                          ///< see frechet.h
  double kid_deviation = 0;                                    ///< of subsets
  double kid_subset_mean = 0;
  std::int64_t kid_subset_size = 0;
  std::vector<std::string> cautions;  ///< why a figure is not to be trusted
};

/// Both sets' features with the class of each row; classes are half-sampled each for itself.
struct LabelledFeatures {
  at::Tensor rows;                   ///< [n, d]
  std::vector<std::int64_t> labels;  ///< n of them, 0 or more
};

/// Measures everything; may be stopped. Half-samples report progress as `task`. Together with
/// the ranks of `context`, which share the half-samples and have the same features.
Alignment measure_alignment(const LabelledFeatures& real, const LabelledFeatures& synthetic,
                            const AlignmentOptions& options, const std::string& task,
                            const Context& context);

}  // namespace dd
