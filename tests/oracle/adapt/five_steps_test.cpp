// SPDX-License-Identifier: Apache-2.0
// The training engine against a trainer written with diffusers and peft: five steps of LoRA
// training on recorded batches, from a recorded start.
#include <gtest/gtest.h>

#include "dd/core/json.h"
#include "dd/train/engine.h"
#include "oracle/lora/recorded_lora.h"

namespace dd {
namespace {

using test::expect_close;
using test::oracle_path;
using test::RecordedDiffusion;

/// Feeds the engine what the reference trainer drew. Keeps the losses, which the engine averages.
class RecordedTask final : public train::Task {
 public:
  RecordedTask(const RecordedDiffusion& model, const io::SafetensorsFile& batches,
               double scaling_factor)
      : model_(model), batches_(batches), scaling_factor_(scaling_factor) {}

  at::Tensor loss(std::int64_t step) override {
    const auto drawn = [&](const char* name) {
      return batches_.tensor("step." + std::to_string(step) + "." + name);
    };
    const at::Tensor latents =
        (drawn("latent_mean") + drawn("latent_std") * drawn("sample_noise")) * scaling_factor_;
    const at::Tensor loss =
        model_.loss(latents, drawn("noise"), drawn("timesteps"), drawn("input_ids"));
    losses.push_back(loss.item<double>());
    return loss;
  }

  std::vector<double> losses;

 private:
  const RecordedDiffusion& model_;
  const io::SafetensorsFile& batches_;
  double scaling_factor_;
};

class FiveSteps : public ::testing::TestWithParam<const char*> {
 protected:
  io::SafetensorsFile file(const std::string& name) const {
    return io::SafetensorsFile(folder_ / (name + ".safetensors"));
  }

  /// The settings that the reference trainer states.
  train::EngineOptions options() const {
    const Json& settings = note_.at("optimizer");
    train::EngineOptions options;
    options.steps = note_.at("steps").get<std::int64_t>();
    options.validate_every = 0;
    options.optimizer.learning_rate = settings.at("learning_rate").get<double>();
    options.optimizer.beta1 = settings.at("betas").at(0).get<double>();
    options.optimizer.beta2 = settings.at("betas").at(1).get<double>();
    options.optimizer.eps = settings.at("epsilon").get<double>();
    options.optimizer.weight_decay = settings.at("weight_decay").get<double>();
    options.optimizer.warmup = settings.at("warm_up_steps").get<std::int64_t>();
    options.optimizer.clip = settings.at("clip_norm").get<double>();
    return options;
  }

  std::filesystem::path folder_ = oracle_path("adapt") / GetParam();
  Json note_ = read_json(folder_ / "README.json");
};

TEST_P(FiveSteps, EqualTheReferenceTrainer) {
  const RecordedDiffusion model(GetParam());
  lora::LoraSet set(model.parts(), lora::attention_targets(), test::kRecordedOptions, 1);
  set.assign(test::recorded_weights(folder_ / "start.safetensors"));
  const io::SafetensorsFile batches = file("batches");
  RecordedTask task(model, batches, note_.at("scaling_factor").get<double>());
  train::FlatParameters parameters(set.parameters());
  NullReporter reporter;
  const CancelToken cancel;
  Context context{reporter, cancel};
  train::run_training(options(), parameters, task, context);

  const at::Tensor losses = file("history").tensor("loss");
  ASSERT_EQ(static_cast<std::int64_t>(task.losses.size()), losses.numel());
  for (std::int64_t i = 0; i < losses.numel(); ++i) {
    const double want = losses[i].item<double>();
    EXPECT_NEAR(task.losses[static_cast<std::size_t>(i)], want, 1e-4 * want) << "step " << i;
  }
  const auto start = test::tensors_of(file("start"));
  const auto final = test::tensors_of(file("final"));
  const double movement = note_.at("movement_tolerance").at("relative").get<double>();
  ASSERT_EQ(set.parameters().size(), final.size());
  for (const auto& [name, value] : set.parameters()) {
    // A tensor that starts at zero is all movement.
    if (start.at(name).any().item<bool>()) expect_close(value, final.at(name), name);
    expect_close(value.detach() - start.at(name), final.at(name) - start.at(name),
                 name + ", movement", movement);
  }
}

TEST_P(FiveSteps, LearningRatesEqualDiffusersScheduler) {
  const at::Tensor short_run = file("history").tensor("learning_rate");
  const train::EngineOptions short_options = options();
  for (std::int64_t i = 0; i < short_run.numel(); ++i) {
    EXPECT_NEAR(train::learning_rate(short_options.optimizer, i, short_run.numel()),
                short_run[i].item<double>(), 1e-12);
  }
  const at::Tensor long_run = file("history").tensor("long_learning_rate");
  train::OptimizerOptions paper;
  paper.warmup = 100;
  for (std::int64_t i = 0; i < long_run.numel(); ++i) {
    EXPECT_NEAR(train::learning_rate(paper, i, long_run.numel()), long_run[i].item<double>(), 1e-12)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FiveSteps, ::testing::Values("sd1", "sd2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dd
