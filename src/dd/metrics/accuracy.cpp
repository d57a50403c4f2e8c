// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/accuracy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "dd/core/error.h"

namespace dd {
namespace {

constexpr std::int64_t kBest = 5;

/// The sum of exp(score − score of the best class): its inverse is the best class's softmax.
double relative_sum(std::span<const float> scores, std::int64_t best) {
  const double top = scores[static_cast<std::size_t>(best)];
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - top);
  return sum;
}

/// How many classes come before this one; of equal scores the first class comes first.
std::int64_t rank_of(std::span<const float> scores, std::int64_t label) {
  const float own = scores[static_cast<std::size_t>(label)];
  std::int64_t before = 0;
  for (std::int64_t i = 0; i < std::ssize(scores); ++i) {
    const float other = scores[static_cast<std::size_t>(i)];
    if (other > own || (other == own && i < label) || std::isnan(own)) ++before;
  }
  return before;
}

class Calibration {
 public:
  void add(double confidence, bool right) {
    const auto last = static_cast<double>(bins_.size() - 1);
    // Bins are open below and closed above, as in the paper.
    const double place = std::ceil(confidence * static_cast<double>(bins_.size())) - 1;
    // Unlike clamp, these give a number for NaN, which then makes the error NaN.
    Bin& bin = bins_[static_cast<std::size_t>(std::fmin(std::fmax(place, 0.0), last))];
    bin.confidence += confidence;
    bin.right += right ? 1 : 0;
  }
  double error(std::int64_t n) const {
    double sum = 0;
    for (const Bin& bin : bins_) sum += std::abs(bin.right - bin.confidence);
    return sum / static_cast<double>(n);
  }

 private:
  struct Bin {
    double confidence = 0;
    double right = 0;
  };
  std::array<Bin, 15> bins_{};
};

}  // namespace

std::int64_t best_class(std::span<const float> scores) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < std::ssize(scores); ++i) {
    const float leader = scores[static_cast<std::size_t>(best)];
    const float score = scores[static_cast<std::size_t>(i)];
    if (score > leader || (std::isnan(leader) && !std::isnan(score))) best = i;
  }
  return best;
}

AccuracyReport measure_accuracy(std::span<const float> logits, std::span<const std::int64_t> labels,
                                std::int64_t classes) {
  const std::int64_t n = std::ssize(labels);
  ensure(n > 0 && classes > 0, "accuracy needs images and classes");
  ensure(std::ssize(logits) == n * classes, "accuracy needs a row of scores for each label");
  AccuracyReport report;
  const auto count = static_cast<std::size_t>(classes);
  report.n = n;
  report.class_counts.assign(count, 0);
  report.confusion.assign(count, std::vector<std::int64_t>(count, 0));
  std::int64_t right = 0;
  std::int64_t among_best = 0;
  Calibration calibration;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    ensure(label >= 0 && label < classes, "a label lies outside the classes");
    const auto scores = logits.subspan(static_cast<std::size_t>(i) * count, count);
    const std::int64_t best = best_class(scores);
    ++report.class_counts[static_cast<std::size_t>(label)];
    ++report.confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(best)];
    right += best == label ? 1 : 0;
    among_best += rank_of(scores, label) < kBest ? 1 : 0;
    const double sum = relative_sum(scores, best);
    calibration.add(1.0 / sum, best == label);
    const double lead = static_cast<double>(scores[static_cast<std::size_t>(best)]) -
                        static_cast<double>(scores[static_cast<std::size_t>(label)]);
    report.nll += (std::log(sum) + lead) / static_cast<double>(n);
  }
  report.top1 = static_cast<double>(right) / static_cast<double>(n);
  report.top5 = static_cast<double>(among_best) / static_cast<double>(n);
  report.ece = calibration.error(n);
  for (std::size_t c = 0; c < count; ++c) {
    report.per_class.push_back(report.class_counts[c] == 0
                                   ? std::numeric_limits<double>::quiet_NaN()
                                   : static_cast<double>(report.confusion[c][c]) /
                                         static_cast<double>(report.class_counts[c]));
  }
  return report;
}

}  // namespace dd
