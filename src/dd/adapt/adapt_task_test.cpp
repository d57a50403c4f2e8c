// SPDX-License-Identifier: Apache-2.0
// The task against a trainer written with diffusers and peft, on recorded batches.
#include "dd/adapt/adapt_task.h"

#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/lora/lora_set.h"
#include "support/oracle.h"

namespace dd::adapt {
namespace {

using test::expect_close;
using test::oracle_path;

class RecordedBatches final : public BatchSource {
 public:
  /// `prompts` rows of the Conditioner are what each batch of the record shows.
  RecordedBatches(const io::SafetensorsFile& record, double scaling_factor,
                  std::vector<std::int64_t> prompts)
      : record_(record), scaling_factor_(scaling_factor), prompts_(std::move(prompts)) {}

  DiffusionBatch batch(std::int64_t step) override {
    const auto drawn = [&](const char* name) {
      return record_.tensor("step." + std::to_string(step) + "." + name);
    };
    return {(drawn("latent_mean") + drawn("latent_std") * drawn("sample_noise")) * scaling_factor_,
            drawn("noise"), drawn("timesteps"), prompts_};
  }
  std::vector<DiffusionBatch> validation() override { return {batch(0), batch(1)}; }

 private:
  const io::SafetensorsFile& record_;
  double scaling_factor_;
  std::vector<std::int64_t> prompts_;
};

class AdaptTaskOracle : public ::testing::TestWithParam<const char*> {
 protected:
  AdaptTaskOracle() {
    const io::SafetensorsFile start(folder_ / "start.safetensors");
    for (const auto& [name, value] : lora_.parameters()) value.copy_(start.tensor(name));
  }
  /// One row of tokens where all rows of the record are the same prompt, else all three.
  at::Tensor tokens() const {
    return record_.tensor("step.0.input_ids").narrow(0, 0, one_prompt_ ? 1 : 3);
  }
  std::vector<std::int64_t> prompts() const {
    return one_prompt_ ? std::vector<std::int64_t>{0, 0, 0} : std::vector<std::int64_t>{0, 1, 2};
  }
  train::TrainResult train() {
    const Conditioner conditioner(model_.text_encoder, tokens(), true);
    RecordedBatches batches(record_, note_.at("scaling_factor").get<double>(), prompts());
    AdaptTask task(model_, conditioner, batches);
    train::FlatParameters parameters(lora_.parameters());
    NullReporter reporter;
    const CancelToken cancel;
    Context context{reporter, cancel};
    const Json& settings = note_.at("optimizer");
    train::EngineOptions engine;
    engine.steps = note_.at("steps").get<std::int64_t>();
    engine.validate_every = 0;
    engine.optimizer.warmup = settings.at("warm_up_steps").get<std::int64_t>();
    return run_training(engine, parameters, task, context);
  }

  bool one_prompt_ = std::string(GetParam()) == "sd1";
  std::filesystem::path folder_ = oracle_path("adapt") / GetParam();
  Json note_ = read_json(folder_ / "README.json");
  io::SafetensorsFile record_{folder_ / "batches.safetensors"};
  models::StableDiffusion model_ =
      models::StableDiffusion::load(oracle_path("models") / GetParam(), {});
  std::vector<lora::ModelPart> parts_{{"unet", &model_.unet.parameters()},
                                      {"text_encoder", &model_.text_encoder.parameters()}};
  lora::LoraSet lora_{
      parts_,
      lora::attention_targets(),
      {.rank = note_.at("rank").get<std::int64_t>(), .alpha = note_.at("alpha").get<double>()},
      1};
};

TEST_P(AdaptTaskOracle, FiveStepsEqualTheReferenceTrainer) {
  const train::TrainResult result = train();
  const double mean_loss =
      io::SafetensorsFile(folder_ / "history.safetensors").tensor("loss").mean().item<double>();
  EXPECT_NEAR(result.losses.back().value, mean_loss, 1e-4 * mean_loss);
  const io::SafetensorsFile start(folder_ / "start.safetensors");
  const io::SafetensorsFile final(folder_ / "final.safetensors");
  ASSERT_EQ(lora_.parameters().size(), final.entries().size());
  for (const auto& [name, value] : lora_.parameters()) {
    const at::Tensor from = start.tensor(name);
    const at::Tensor want = final.tensor(name);
    // A tensor that starts at zero is all movement, which float32 leaves fewer digits.
    if (from.any().item<bool>()) expect_close(value, want, name);
    expect_close(value.detach() - from, want - from, name + ", movement",
                 note_.at("movement_tolerance").at("relative").get<double>());
  }
}

/// Three rows in two or three parts: gradients are those of the whole batch but for rounding.
TEST_P(AdaptTaskOracle, PartsOfABatchAddUpToItsLossAndGradient) {
  const Conditioner conditioner(model_.text_encoder, tokens(), true);
  RecordedBatches batches(record_, note_.at("scaling_factor").get<double>(), prompts());
  train::FlatParameters parameters(lora_.parameters());
  AdaptTask whole(model_, conditioner, batches);
  const at::Tensor loss = whole.part_of_loss(1, 0);
  loss.backward();
  const at::Tensor gradient = parameters.gradient().clone();
  for (const std::int64_t parts : {2, 3}) {
    parameters.zero_gradient();
    AdaptTask task(model_, conditioner, batches, {.parts = parts});
    double sum = 0;
    for (std::int64_t part = 0; part < task.parts(); ++part) {
      const at::Tensor share = task.part_of_loss(1, part);
      share.backward();
      sum += share.item<double>();
    }
    EXPECT_NEAR(sum, loss.item<double>(), 1e-6 * sum);
    expect_close(parameters.gradient(), gradient, cat(parts, " parts"), 1e-5);
  }
}

TEST_P(AdaptTaskOracle, ValidationLossIsTheMeanOverFixedBatches) {
  const Conditioner conditioner(model_.text_encoder, tokens(), true);
  RecordedBatches batches(record_, note_.at("scaling_factor").get<double>(), prompts());
  AdaptTask task(model_, conditioner, batches);
  const double mean = (task.loss(0).item<double>() + task.loss(1).item<double>()) / 2;
  EXPECT_NEAR(task.validation_loss(0).value(), mean, 1e-6 * mean);
}

TEST_P(AdaptTaskOracle, ConditionerGivesEachRowItsPromptTrainedOrNot) {
  const at::Tensor rows = record_.tensor("step.0.input_ids");
  const at::Tensor want = model_.text_encoder(rows);
  for (const bool is_trained : {true, false}) {
    const Conditioner conditioner(model_.text_encoder, tokens(), is_trained);
    expect_close(conditioner(prompts()), want, is_trained ? "trained" : "fixed", 1e-6);
  }
  if (one_prompt_) return;
  const Conditioner conditioner(model_.text_encoder, tokens(), true);
  const std::vector<std::int64_t> mixed{2, 0, 2};
  const at::Tensor states = conditioner(mixed);
  expect_close(states[0], want[2], "first row", 1e-6);
  expect_close(states[1], want[0], "second row", 1e-6);
  EXPECT_TRUE(states[0].equal(states[2]));
}

INSTANTIATE_TEST_SUITE_P(Families, AdaptTaskOracle, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd::adapt
