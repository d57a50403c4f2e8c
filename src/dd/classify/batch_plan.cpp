// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/batch_plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dd/core/error.h"

namespace dd::classify {

BatchPlan plan_batches(const TrainOptions& options, std::int64_t real_images,
                       std::int64_t synthetic_images) {
  ensure(real_images + synthetic_images > 0, "a batch needs images");
  BatchPlan plan;
  plan.real_weight = synthetic_images == 0 ? 1 : real_images == 0 ? 0 : options.lambda;
  plan.synthetic_weight = 1 - plan.real_weight;
  if (plan.synthetic_weight == 0) {
    plan.real = options.batch;
  } else if (plan.real_weight > 0) {
    plan.real = options.real_batch > 0 ? options.real_batch : (options.batch + 1) / 2;
  }
  plan.synthetic = options.batch - plan.real;
  const std::int64_t images =
      (plan.real > 0 ? real_images : 0) + (plan.synthetic > 0 ? synthetic_images : 0);
  plan.steps = options.steps > 0 ? options.steps
                                 : (options.epochs * images + options.batch - 1) / options.batch;
  plan.warmup = options.optimizer.warmup;
  if (options.warmup_epochs > 0) {
    plan.warmup = std::llround(options.warmup_epochs * static_cast<double>(images) /
                               static_cast<double>(options.batch));
  }
  return plan;
}

std::vector<double> parse_lambdas(const std::vector<std::string>& texts) {
  std::vector<double> values;
  for (const std::string& text : texts) {
    double value = -1;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    // Written so that NaN fails.
    if (error != std::errc() || stop != end || !(value >= 0 && value <= 1)) {
      fail_usage(cat("--lambdas: \"", text, "\" is no number in 0 … 1; give some such as 0.5 0.8"));
    }
    if (std::ranges::find(values, value) != values.end()) {
      fail_usage(cat("--lambdas names ", text, " twice; give each once"));
    }
    values.push_back(value);
  }
  return values;
}

}  // namespace dd::classify
