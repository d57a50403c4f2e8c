// SPDX-License-Identifier: Apache-2.0
// Scores judged as torchmetrics judges them (tools/oracle/classify_reference.py).
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/metrics/accuracy.h"
#include "support/oracle.h"

namespace dd {
namespace {

TEST(MetricsOracle, EqualTorchmetrics) {
  const io::SafetensorsFile file(test::oracle_path("classify/scores.safetensors"));
  const at::Tensor logits = file.tensor("logits");
  const at::Tensor labels = file.tensor("labels");
  const auto count = static_cast<std::size_t>(labels.numel());
  const AccuracyReport report =
      measure_accuracy({logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())},
                       {labels.const_data_ptr<std::int64_t>(), count}, logits.size(1));
  const Json expected = read_json(test::oracle_path("classify/index.json")).at("metrics");
  // torchmetrics keeps shares in single precision.
  EXPECT_NEAR(report.top1, expected.at("top1").get<double>(), 1e-6);
  EXPECT_NEAR(report.top5, expected.at("top5").get<double>(), 1e-6);
  EXPECT_NEAR(report.ece, expected.at("ece").get<double>(), 1e-6);
  EXPECT_NEAR(report.nll, expected.at("nll").get<double>(), 1e-9);
  EXPECT_EQ(Json(report.confusion), expected.at("confusion"));
  for (std::size_t c = 0; c < expected.at("per_class").size(); ++c) {
    EXPECT_NEAR(report.per_class[c], expected.at("per_class").at(c).get<double>(), 1e-6) << c;
  }
}

}  // namespace
}  // namespace dd
