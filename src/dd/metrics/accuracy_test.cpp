// SPDX-License-Identifier: Apache-2.0
#include "dd/metrics/accuracy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/seeds.h"

namespace dd {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Accuracy, CountsTopOneAndConfusion) {
  const std::vector<float> logits{3, 1, 0,   // class 0, right
                                  0, 1, 2,   // class 0, taken for 2
                                  0, 5, 2};  // class 1, right
  const AccuracyReport report = measure_accuracy(logits, std::vector<std::int64_t>{0, 0, 1}, 3);
  EXPECT_EQ(report.n, 3);
  EXPECT_DOUBLE_EQ(report.top1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(report.top5, 1.0) << "three classes are all among the best five";
  EXPECT_EQ(report.confusion,
            (std::vector<std::vector<std::int64_t>>{{1, 0, 1}, {0, 1, 0}, {0, 0, 0}}));
  EXPECT_DOUBLE_EQ(report.per_class[0], 0.5);
  EXPECT_DOUBLE_EQ(report.per_class[1], 1.0);
  EXPECT_TRUE(std::isnan(report.per_class[2])) << "no image of class 2";
  EXPECT_EQ(report.class_counts, (std::vector<std::int64_t>{2, 1, 0}));
}

TEST(Accuracy, TopFiveCountsTheFifthButNotTheSixth) {
  std::vector<float> logits{6, 5, 4, 3, 2, 1, 0};
  EXPECT_DOUBLE_EQ(measure_accuracy(logits, std::vector<std::int64_t>{4}, 7).top5, 1.0);
  EXPECT_DOUBLE_EQ(measure_accuracy(logits, std::vector<std::int64_t>{5}, 7).top5, 0.0);
}

TEST(Accuracy, OfEqualScoresTheFirstClassWins) {
  const std::vector<float> logits(8, 1.0F);
  const AccuracyReport report = measure_accuracy(logits, std::vector<std::int64_t>{5}, 8);
  EXPECT_EQ(report.confusion[5][0], 1);
  EXPECT_DOUBLE_EQ(report.top5, 0.0) << "a constant score must not count as knowledge";
}

TEST(Accuracy, NanNeverCountsAsRight) {
  EXPECT_EQ(best_class(std::vector<float>{kNan, -1, kNan}), 1);
  const AccuracyReport report =
      measure_accuracy(std::vector<float>{1, 0, kNan}, std::vector<std::int64_t>{2}, 3);
  EXPECT_DOUBLE_EQ(report.top1, 0.0);
  EXPECT_TRUE(std::isnan(report.ece));
  EXPECT_TRUE(std::isnan(report.nll));
}

TEST(Accuracy, CalibrationErrorOfSureAnswersIsTheirErrorRate) {
  // Certain each time, right three times in four.
  const std::vector<float> logits{100, 0, 100, 0, 100, 0, 100, 0};
  const AccuracyReport report = measure_accuracy(logits, std::vector<std::int64_t>{0, 0, 0, 1}, 2);
  EXPECT_NEAR(report.ece, 0.25, 1e-9);
}

TEST(Accuracy, CalibrationErrorSeparatesBins) {
  // softmax(log 3, 0) = 0.75, and softmax(log 9, 0) = 0.9. Bin errors |0 − 0.75| and |1 − 0.9|.
  const std::vector<float> logits{std::log(3.0F), 0, std::log(9.0F), 0};
  const AccuracyReport report = measure_accuracy(logits, std::vector<std::int64_t>{1, 0}, 2);
  EXPECT_NEAR(report.ece, (0.75 + 0.1) / 2, 1e-6);
}

TEST(Accuracy, LikelihoodIsThatOfTheRightClass) {
  const std::vector<float> logits{std::log(3.0F), 0, 1000, 0};
  const AccuracyReport report = measure_accuracy(logits, std::vector<std::int64_t>{1, 0}, 2);
  EXPECT_NEAR(report.nll, std::log(4.0) / 2, 1e-6) << "large scores must not overflow";
}

TEST(Accuracy, CalibratedGuessesHaveNearlyNoError) {
  Random random(3);
  std::vector<float> logits;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 20000; ++i) {
    const double share = random.uniform(0.5, 1.0);
    logits.push_back(static_cast<float>(std::log(share / (1 - share))));
    logits.push_back(0);
    labels.push_back(random.chance(share) ? 0 : 1);
  }
  EXPECT_LT(measure_accuracy(logits, labels, 2).ece, 0.02);
}

TEST(Accuracy, RefusesWhatDoesNotFit) {
  const std::vector<float> logits{1, 2};
  EXPECT_THROW(measure_accuracy(logits, std::vector<std::int64_t>{0, 1}, 2), Error);
  EXPECT_THROW(measure_accuracy(logits, std::vector<std::int64_t>{2}, 2), Error);
  EXPECT_THROW(measure_accuracy({}, {}, 2), Error);
}

}  // namespace
}  // namespace dd
