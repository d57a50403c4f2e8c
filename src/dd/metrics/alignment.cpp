// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/alignment.h"

#include <algorithm>
#include <limits>

#include "dd/core/error.h"
#include "dd/core/ranks.h"
#include "dd/metrics/feature_rows.h"
#include "dd/metrics/frechet.h"
#include "dd/metrics/kernel_distance.h"
#include "dd/metrics/neighbours.h"

namespace dd {
namespace {

constexpr std::int64_t kPrecisionNeighbours = 3;
constexpr std::int64_t kDensityNeighbours = 5;
constexpr std::int64_t kFewForNeighbours = 50;

// What the figures can be, in the order of kAlignmentFigures: intervals do not reach beyond.
constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr AlignmentFigures kLeast{0, -kNoLimit, 0, 0, 0, 0, 0};
constexpr AlignmentFigures kMost{kNoLimit, kNoLimit, kNoLimit, 1, 1, kNoLimit, 1};

AlignmentFigures figures_of(const FeaturePair& pair, bool unit_length, const CancelToken& cancel) {
  const auto& [real, synthetic] = pair;
  const PrecisionRecall balls = precision_recall(real, synthetic, kPrecisionNeighbours, cancel);
  const DensityCoverage crowd = density_coverage(real, synthetic, kDensityNeighbours, cancel);
  const double mean_discrepancy = unit_length ? cmmd(unit_rows(real), unit_rows(synthetic), cancel)
                                              : cmmd(real, synthetic, cancel);
  return {frechet_distance(real, synthetic),
          kernel_distance(real, synthetic, cancel),
          mean_discrepancy,
          balls.precision,
          balls.recall,
          crowd.density,
          crowd.coverage};
}

std::vector<std::string> cautions_for(std::int64_t real, std::int64_t synthetic,
                                      std::int64_t width) {
  std::vector<std::string> cautions;
  const std::int64_t fewest = std::min(real, synthetic);
  const std::string counts = cat(real, " real and ", synthetic, " synthetic images");
  if (fewest <= width) {
    cautions.push_back(
        cat("fid: ", counts, " cannot fill the ", width,
            " dimensions of the features: their covariances lack rank, FID comes out "
            "too large by an amount that depends on the counts, and FD-infinity "
            "cannot be extrapolated; compare kid instead"));
  } else if (fewest < 10 * width) {
    cautions.push_back(cat("fid: ", counts, " are few for ", width,
                           " dimensions, so FID comes out too large; compare kid or fid_infinity, "
                           "or only sets of the same size"));
  }
  if (fewest <= kDensityNeighbours) {
    cautions.push_back(cat("precision, recall, density and coverage need more than ",
                           kDensityNeighbours, " images in each set; there are ", counts));
  } else if (fewest < kFewForNeighbours) {
    cautions.push_back(cat("precision, recall, density and coverage: with ", counts,
                           " single images decide; compare only sets of the same size"));
  }
  return cautions;
}

/// How half-samples are drawn, and who is told.
struct HalfSampling {
  const AlignmentOptions& options;
  const std::string& task;
  const Context& context;

  void report(std::int64_t count) const {
    context.cancel.check();
    if (!task.empty()) context.report.progress(task, count, options.half_samples, "");
  }
};

/// Fills in the intervals from half-samples, which the ranks share.
void add_intervals(const FeaturePair& pair, const LabelledFeatures& real,
                   const LabelledFeatures& synthetic, const HalfSampling& sampling,
                   Alignment& result) {
  const AlignmentOptions& options = sampling.options;
  Ranks& ranks = sampling.context.ranks;
  std::array<std::vector<double>, kAlignmentFigures.size()> samples;
  for (auto& values : samples) values.resize(static_cast<std::size_t>(options.half_samples));
  for (std::int64_t i = ranks.rank(); i < options.half_samples; i += ranks.count()) {
    Random random(mix_seed(options.seed, "half-sample", {static_cast<std::uint64_t>(i)}));
    const FeaturePair halves{rows_at(pair.real, half_sample(real.labels, random)),
                             rows_at(pair.synthetic, half_sample(synthetic.labels, random))};
    const AlignmentFigures figures =
        figures_of(halves, options.unit_length, sampling.context.cancel);
    for (std::size_t f = 0; f < figures.size(); ++f) {
      samples[f][static_cast<std::size_t>(i)] = figures[f];
    }
    sampling.report(i + 1);
  }
  for (std::size_t f = 0; f < samples.size(); ++f) {
    // Each number is some rank's, and 0 on the others.
    ranks.sum(samples[f]);
    Interval& interval = result.intervals[f];
    interval = half_sample_interval(result.figures[f], samples[f], options.level);
    interval.low = std::max(interval.low, kLeast[f]);
    interval.high = std::min(interval.high, kMost[f]);
  }
}

}  // namespace

Alignment measure_alignment(const LabelledFeatures& real, const LabelledFeatures& synthetic,
                            const AlignmentOptions& options, const std::string& task,
                            const Context& context) {
  const FeaturePair pair = feature_pair(real.rows, synthetic.rows);
  Alignment result;
  result.real = pair.real.size(0);
  result.synthetic = pair.synthetic.size(0);
  ensure(result.real == std::ssize(real.labels) && result.synthetic == std::ssize(synthetic.labels),
         "each row of features needs a label");
  result.figures = figures_of(pair, options.unit_length, context.cancel);
  result.fid_infinity = frechet_infinity(pair.real, pair.synthetic, options.seed, context.cancel);
  const std::int64_t fewest = std::min(result.real, result.synthetic);
  result.kid_subset_size = options.kid_subset_size > 0 ? std::min(options.kid_subset_size, fewest)
                                                       : std::min<std::int64_t>(1000, fewest / 2);
  const SubsetDistance subsets = kernel_distance_of_subsets(
      pair.real, pair.synthetic,
      {.subsets = options.kid_subsets, .size = result.kid_subset_size, .seed = options.seed},
      context.cancel);
  result.kid_subset_mean = subsets.mean;
  result.kid_deviation = subsets.deviation;
  result.cautions = cautions_for(result.real, result.synthetic, pair.real.size(1));
  add_intervals(pair, real, synthetic, {options, task, context}, result);
  return result;
}

}  // namespace dd
