// SPDX-License-Identifier: Apache-2.0
// Measures of likeness against scipy, clean-fid's sums, prdc, torch-fidelity and CMMD's formula.
#include "dd/metrics/alignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "dd/core/json.h"
#include "dd/metrics/frechet.h"
#include "support/oracle.h"

namespace dd {
namespace {

using test::oracle_path;

constexpr double kTolerance = 1e-3;

/// A pair of feature sets and what others measured on it.
struct Case {
  LabelledFeatures real;
  LabelledFeatures synthetic;
  Json expected;
};

LabelledFeatures one_class(const at::Tensor& rows) {
  return {rows, std::vector<std::int64_t>(static_cast<std::size_t>(rows.size(0)), 0)};
}

Case load(const std::string& name) {
  const io::SafetensorsFile features(oracle_path("metrics/features.safetensors"));
  return {one_class(features.tensor(name + ".real")),
          one_class(features.tensor(name + ".synthetic")),
          read_json(oracle_path("metrics/expected.json")).at(name)};
}

Alignment measure(const Case& pair) {
  NullReporter silent;
  const CancelToken cancel;
  return measure_alignment(pair.real, pair.synthetic, {.kid_subsets = 2, .half_samples = 0}, "",
                           {silent, cancel});
}

/// Near in proportion, and figures near 0 in absolute terms.
void expect_near(double ours, const Json& theirs, const std::string& what) {
  const auto value = theirs.get<double>();
  EXPECT_NEAR(ours, value, kTolerance * std::max(std::abs(value), 1e-3)) << what;
}

class AlignmentOracle : public testing::TestWithParam<const char*> {};

TEST_P(AlignmentOracle, FiguresEqualTheOthers) {
  const Case pair = load(GetParam());
  const Alignment ours = measure(pair);
  for (std::size_t i = 1; i < kAlignmentFigures.size(); ++i) {
    const std::string name = kAlignmentFigures[i];
    expect_near(ours.figures[i], pair.expected.at(name), name);
  }
  for (const char* name : {"fid_sqrtm", "fid_eigh"}) {
    expect_near(ours.figures[0], pair.expected.at(name), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, AlignmentOracle,
                         testing::Values("plain", "few", "flat", "same", "copies", "pools",
                                         "sphere"),
                         [](const auto& test) { return std::string(test.param); });

/// The cases that a covariance of full rank would hide.
TEST(AlignmentOracle, TheSetsThatLackRankAreAmongTheCases) {
  const Case few = load("few");
  EXPECT_LT(few.real.rows.size(0), few.real.rows.size(1));
  EXPECT_LT(few.synthetic.rows.size(0), few.synthetic.rows.size(1));
  const Case flat = load("flat");
  EXPECT_GT(flat.real.rows.size(0), flat.real.rows.size(1));
  EXPECT_LT(frechet_distance(flat.real.rows, flat.real.rows), 1e-9);
}

}  // namespace
}  // namespace dd
