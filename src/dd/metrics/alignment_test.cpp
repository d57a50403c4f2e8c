// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/alignment.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "dd/metrics/feature_rows.h"
#include "dd/metrics/frechet.h"
#include "dd/metrics/kernel_distance.h"
#include "dd/metrics/neighbours.h"

namespace dd {
namespace {

/// Normal numbers, the same for the same seed.
at::Tensor draw(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(mix_seed(seed, "test"));
  at::Tensor values = at::empty({rows, columns}, at::kDouble);
  double* out = values.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) out[i] = random.normal();
  return values;
}

LabelledFeatures one_class(const at::Tensor& rows) {
  return {rows, std::vector<std::int64_t>(static_cast<std::size_t>(rows.size(0)), 0)};
}

Alignment measure(const at::Tensor& real, const at::Tensor& synthetic, std::uint64_t seed = 0) {
  NullReporter silent;
  const CancelToken cancel;
  return measure_alignment(one_class(real), one_class(synthetic),
                           {.kid_subsets = 20, .half_samples = 40, .seed = seed}, "",
                           {silent, cancel});
}

TEST(Frechet, DistanceOfKnownNormalsIsTheirs) {
  // Diagonal covariances: the distance is the sum of squared gaps of means and deviations.
  const at::Tensor x = draw(4000, 3, 1);
  const at::Tensor unit = (x - x.mean(0)) / x.std(0);
  at::Tensor y = unit.clone();
  y.select(1, 0).mul_(3);
  y.select(1, 1).add_(2);
  EXPECT_NEAR(frechet_distance(unit, y), 2 * 2 + (3 - 1) * (3 - 1), 1e-9);
  EXPECT_NEAR(frechet_distance(unit, y), frechet_distance(y, unit), 1e-9);
  EXPECT_TRUE(std::isnan(frechet_distance(unit.narrow(0, 0, 1), y)));
}

/// Equal distributions: the bias of FID is large, that of the extrapolation small.
TEST(Frechet, ExtrapolationTakesTheBiasAway) {
  const at::Tensor x = draw(400, 20, 2);
  const at::Tensor y = draw(400, 20, 3);
  const double plain = frechet_distance(x, y);
  const std::optional<double> infinity = frechet_infinity(x, y, 0);
  ASSERT_TRUE(infinity);
  EXPECT_GT(plain, 0.4);
  EXPECT_LT(std::abs(*infinity), 0.25 * plain);
  EXPECT_EQ(frechet_infinity(x, y, 0), infinity);
  EXPECT_FALSE(frechet_infinity(x.narrow(0, 0, 24), y, 0)) << "24 images for 20 dimensions";
}

TEST(KernelDistance, SubsetsScatterAroundTheWhole) {
  const at::Tensor x = draw(200, 6, 4);
  const at::Tensor y = draw(160, 6, 5) * 1.3;
  const double whole = kernel_distance(x, y);
  const SubsetDistance subsets =
      kernel_distance_of_subsets(x, y, {.subsets = 60, .size = 50, .seed = 1});
  EXPECT_GT(subsets.deviation, 0);
  EXPECT_NEAR(subsets.mean, whole, 4 * subsets.deviation / std::sqrt(60.0));
  const SubsetDistance all =
      kernel_distance_of_subsets(x, y.narrow(0, 0, 160), {.subsets = 3, .size = 1000});
  EXPECT_GT(all.deviation, 0) << "the larger set is still drawn from";
  EXPECT_TRUE(std::isnan(kernel_distance(x.narrow(0, 0, 1), y)));
}

TEST(KernelDistance, BlocksAddUpToTheWhole) {
  // More pairs than one block of 2^24 numbers holds.
  const at::Tensor x = draw(4200, 2, 6);
  const at::Tensor base = x.matmul(x.t()) / 2 + 1;
  const double all = (base * base * base).sum().item<double>();
  const at::Tensor own = x.square().sum(1) / 2 + 1;
  const double others = (all - (own * own * own).sum().item<double>()) / (4200.0 * 4199.0);
  EXPECT_NEAR(kernel_distance(x, x), 2 * others - 2 * all / (4200.0 * 4200.0), 1e-9);
}

TEST(Neighbours, HandmadeSets) {
  const auto column = [](std::initializer_list<double> values) {
    at::Tensor rows = at::empty({static_cast<std::int64_t>(values.size()), 1}, at::kDouble);
    std::copy(values.begin(), values.end(), rows.mutable_data_ptr<double>());
    return rows;
  };
  const at::Tensor real = column({0, 1, 3});       // radii with k = 1: 1, 1, 2
  const at::Tensor synthetic = column({2, 5, 9});  // 3, 3, 4
  const PrecisionRecall balls = precision_recall(real, synthetic, 1);
  EXPECT_DOUBLE_EQ(balls.precision, 2.0 / 3) << "2 lies on the surface of 1's ball, 5 of 3's";
  EXPECT_DOUBLE_EQ(balls.recall, 1.0) << "all three lie in 2's ball";
  const DensityCoverage crowd = density_coverage(real, synthetic, 1);
  EXPECT_DOUBLE_EQ(crowd.density, 1.0 / 3) << "2 lies inside 3's ball and on 1's surface";
  EXPECT_DOUBLE_EQ(crowd.coverage, 1.0 / 3);
  EXPECT_TRUE(std::isnan(precision_recall(real, synthetic, 3).precision));
}

TEST(Neighbours, NearestByCosine) {
  const at::Tensor among = draw(30, 5, 7);
  const at::Tensor rows = at::cat({among.narrow(0, 11, 1) * 4, at::zeros({1, 5}, at::kDouble)});
  const NearestRows found = nearest_by_cosine(rows, among);
  EXPECT_EQ(found.index[0].item<std::int64_t>(), 11);
  EXPECT_NEAR(found.cosine[0].item<double>(), 1, 1e-12);
  EXPECT_EQ(found.cosine[1].item<double>(), 0);
  const NearestRows others = nearest_others(at::cat({among, among.narrow(0, 3, 1)}));
  EXPECT_EQ(others.index[3].item<std::int64_t>(), 30);
  EXPECT_EQ(others.index[30].item<std::int64_t>(), 3);
  EXPECT_LT(others.cosine[4].item<double>(), 1 - 1e-6);
}

TEST(Resampling, HalfSamplesHoldHalfOfEachClass) {
  const std::vector<std::int64_t> groups{0, 2, 0, 2, 0, 2, 2, 0, 0};
  Random random(3);
  const std::vector<std::int64_t> half = half_sample(groups, random);
  ASSERT_EQ(half.size(), 5u);
  EXPECT_TRUE(std::is_sorted(half.begin(), half.end()));
  EXPECT_EQ(std::count_if(half.begin(), half.end(),
                          [&](auto i) { return groups[static_cast<std::size_t>(i)] == 0; }),
            3);
}

/// The deviation that half-samples show is that of the figure over fresh data.
TEST(Resampling, HalfSamplesScatterAsFreshSamplesDo) {
  std::vector<double> fresh;
  double width = 0;
  constexpr int kTrials = 30;
  for (std::uint64_t i = 0; i < kTrials; ++i) {
    const Alignment found = measure(draw(80, 4, 100 + i), draw(80, 4, 500 + i) * 1.5 + 0.5, i);
    fresh.push_back(found.figures[0]);
    width += (found.intervals[0].high - found.intervals[0].low) / kTrials;
  }
  const double mean = std::accumulate(fresh.begin(), fresh.end(), 0.0) / kTrials;
  double squares = 0;
  for (const double value : fresh) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (kTrials - 1));
  EXPECT_NEAR(width / (2 * 1.96 * deviation), 1, 0.35);
}

TEST(Resampling, IntervalsNeedSamples) {
  EXPECT_TRUE(std::isnan(half_sample_interval(1, {}, 0.95).low));
  EXPECT_TRUE(std::isnan(half_sample_interval(1, {1, std::nan("")}, 0.95).high));
  const Interval interval = half_sample_interval(5, {1, 2, 3}, 1.0);
  EXPECT_DOUBLE_EQ(interval.low, 4);
  EXPECT_DOUBLE_EQ(interval.high, 6);
}

TEST(Alignment, EqualSeedsGiveEqualFigures) {
  const at::Tensor x = draw(60, 8, 8);
  const at::Tensor y = draw(50, 8, 9);
  const Alignment one = measure(x, y, 4);
  const Alignment two = measure(x, y, 4);
  EXPECT_EQ(one.figures, two.figures);
  EXPECT_EQ(one.kid_deviation, two.kid_deviation);
  EXPECT_EQ(one.intervals[1].low, two.intervals[1].low);
  EXPECT_NE(one.intervals[1].low, measure(x, y, 5).intervals[1].low);
  EXPECT_LT(one.intervals[0].low, one.figures[0]);
  EXPECT_GT(one.intervals[0].high, one.figures[0]);
}

TEST(Alignment, SaysWhyFiguresOfFewImagesAreNotToBeTrusted) {
  const Alignment few = measure(draw(20, 30, 10), draw(9, 30, 11));
  ASSERT_EQ(few.cautions.size(), 2u);
  EXPECT_NE(few.cautions[0].find("lack rank"), std::string::npos) << few.cautions[0];
  EXPECT_NE(few.cautions[1].find("9 synthetic"), std::string::npos) << few.cautions[1];
  EXPECT_FALSE(few.fid_infinity);
  EXPECT_FALSE(std::isnan(few.figures[0]));
  const Alignment tiny = measure(draw(20, 2, 12), draw(4, 2, 13));
  EXPECT_TRUE(std::isnan(tiny.figures[6]));
  EXPECT_TRUE(measure(draw(90, 2, 12), draw(80, 2, 13)).cautions.empty());
}

}  // namespace
}  // namespace dd
