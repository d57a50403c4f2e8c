// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dd {

/// How well scores name the right class. Shares lie in 0 … 1.
struct AccuracyReport {
  std::int64_t n = 0;
  double top1 = 0;
  double top5 = 0;                         ///< among the best five, or all where there are fewer
  std::vector<double> per_class;           ///< top-1 of each class's images; NaN without images
  std::vector<std::int64_t> class_counts;  ///< images of each class
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class]
  /// Expected calibration error of the softmax (Guo et al. 2017, arXiv 1706.04599, equation 3): 15
  /// bins of equal width over the confidence, which is the softmax's value at the best class; a bin
  /// is open below and closed above. The sum over the bins of |share that is right − mean
  /// confidence|, weighted by their share of the images. Equal to torchmetrics'
  /// MulticlassCalibrationError(n_bins=15, norm="l1") where no confidence lies on a border.
  double ece = 0;
  /// Mean negative log-likelihood (natural logarithm) of the right class under the softmax.
  double nll = 0;
};

/// The place of the highest of a row's scores; the first of equal ones. A NaN never wins.
std::int64_t best_class(std::span<const float> scores);

/// Scores (logits) `logits` row by row, `classes` a row, against labels in 0 … classes − 1.
/// Error(kInternal) when sizes or labels do not fit or nothing is given.
AccuracyReport measure_accuracy(std::span<const float> logits, std::span<const std::int64_t> labels,
                                std::int64_t classes);

}  // namespace dd
