// SPDX-License-Identifier: Apache-2.0
// One step of training against transformers and peft (tests/oracle/lora/clip).
#include "dd/classify/training_task.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "dd/classify/training_run.h"
#include "support/absent_ranks.h"
#include "support/colour_set.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::classify {
namespace {

using test::expect_close;
using test::oracle_path;

lora::LoraWeights read_oracle_lora(const std::filesystem::path& path) {
  const io::SafetensorsFile file(path);
  lora::LoraWeights weights;
  const std::string ending = ".lora_A.weight";
  for (const io::TensorEntry& entry : file.entries()) {
    if (!entry.name.ends_with(ending)) continue;
    const std::string layer = entry.name.substr(0, entry.name.size() - ending.size());
    weights.pairs.push_back(
        {layer, file.tensor(entry.name), file.tensor(layer + ".lora_B.weight"), 2.0});
  }
  std::ranges::sort(weights.pairs, {}, &lora::LoraPair::layer);
  return weights;
}

class TrainingTaskOracle : public testing::Test {
 protected:
  TrainingTaskOracle() {
    lora_.assign(read_oracle_lora(oracle_path("lora/clip/lora.safetensors")));
  }

  at::Tensor logits() const {
    return cosine_logits(model_, model_.clip.encode_images(recorded_.tensor("pixels")),
                         model_.clip.encode_texts(recorded_.tensor("input_ids")));
  }

  /// Three classes of five pictures.
  TrainingData colours() const {
    test::write_colour_set(folder_.path() / "photos", 5, 2);
    TrainingData data;
    data.real.images = open_dataset({"folder", folder_.path() / "photos"}, "train");
    data.class_names = data.real.images->class_names();
    for (std::int64_t i = 0; i < data.real.images->size(); ++i) {
      data.real.labels.push_back(data.real.images->label(i));
    }
    return data;
  }

  TrainingSetup setup_for(const TrainingData& data, const TrainOptions& options,
                          Ranks& ranks) const {
    NullReporter silent;
    return {.model = model_,
            .data = data,
            .prompts = class_prompts(model_, data.class_names, "a {}", silent),
            .options = options,
            .seed = 5,
            .threads = 1,
            .ranks = ranks,
            .cancel = never_stopped()};
  }

  const test::TemporaryFolder folder_;
  const ClipModel model_ = ClipModel::load(oracle_path("models/clip"), {});
  const io::SafetensorsFile recorded_{oracle_path("models/clip/expected.safetensors")};
  const io::SafetensorsFile expected_{oracle_path("lora/clip/expected.safetensors")};
  const std::vector<lora::ModelPart> parts_{{"", &model_.clip.parameters()}};
  lora::LoraSet lora_{parts_, lora_targets({}), {.rank = 4, .alpha = 8}, 1};
  train::FlatParameters parameters_{lora_.parameters()};
};

/// Rows of both kinds cut anywhere, as ranks cut them: loss and gradient are the whole batch's.
TEST_F(TrainingTaskOracle, PartsOfABatchAddUpToItsLossAndGradient) {
  const at::Tensor labels = expected_.tensor("labels");
  const BatchPlan plan{.real = 1, .synthetic = 3, .real_weight = 0.8, .synthetic_weight = 0.2};
  const at::Tensor whole = weighted_loss(logits(), labels, plan, 0.1);
  whole.backward();
  const at::Tensor gradient = parameters_.gradient().clone();
  for (const std::int64_t cut : {1, 2, 3}) {
    parameters_.zero_gradient();
    double sum = 0;
    for (const Rows rows : {Rows{0, cut}, Rows{cut, 4}}) {
      const at::Tensor part =
          part_of_weighted_loss(logits().slice(0, rows.begin, rows.end),
                                labels.slice(0, rows.begin, rows.end), plan, rows, 0.1);
      part.backward();
      sum += part.item<double>();
    }
    EXPECT_NEAR(sum, whole.item<double>(), 1e-6) << "cut before row " << cut;
    expect_close(parameters_.gradient(), gradient, "gradient", 1e-5);
  }
}

TEST_F(TrainingTaskOracle, LogitsLossAndGradientsEqualPeft) {
  const at::Tensor scores = logits();
  expect_close(scores, expected_.tensor("logits"), "logits");
  const BatchPlan plan{.real = 4, .real_weight = 1};
  const at::Tensor loss = weighted_loss(scores, expected_.tensor("labels"), plan);
  expect_close(loss.reshape({1}), expected_.tensor("loss"), "loss");
  loss.backward();
  for (const auto& [name, value] : lora_.parameters()) {
    expect_close(value.grad(), expected_.tensor("grad." + name), name);
  }
}

TEST_F(TrainingTaskOracle, GradientsOfTheWholeBatchAreTheWeightedSumOfItsParts) {
  const at::Tensor labels = expected_.tensor("labels");
  // Halves with equal weights are the plain mean over the batch, which the reference took.
  const BatchPlan halves{.real = 2, .synthetic = 2, .real_weight = 0.5, .synthetic_weight = 0.5};
  weighted_loss(logits(), labels, halves).backward();
  for (const auto& [name, value] : lora_.parameters()) {
    expect_close(value.grad(), expected_.tensor("grad." + name), name);
  }
}

TEST_F(TrainingTaskOracle, LambdaWeighsTheMeansOfBothKinds) {
  const at::Tensor scores = expected_.tensor("logits").to(at::kDouble);
  const at::Tensor labels = expected_.tensor("labels");
  const at::Tensor each = scores.logsumexp(1) - scores.gather(1, labels.unsqueeze(1)).squeeze(1);
  const BatchPlan plan{.real = 3, .synthetic = 1, .real_weight = 0.8, .synthetic_weight = 0.2};
  const double expected =
      0.8 * each.narrow(0, 0, 3).mean().item<double>() + 0.2 * each[3].item<double>();
  EXPECT_NEAR(weighted_loss(scores, labels, plan).item<double>(), expected, 1e-9);
}

TEST_F(TrainingTaskOracle, PicturesPreparedAheadAreThoseOfTheirStep) {
  const TrainingData data = colours();
  const TrainOptions options;
  const TrainingSetup setup = setup_for(data, options, lone_rank());
  const BatchPlan plan{.real = 4, .real_weight = 1, .steps = 6};
  ValidationRecord record(folder_.path() / "best", "identity");
  const auto alone = [&](std::int64_t step) {
    return TrainingTask(setup, plan, lora_, parameters_, record).loss(step).item<double>();
  };
  TrainingTask task(setup, plan, lora_, parameters_, record);
  for (std::int64_t step = 0; step < plan.steps; ++step) {
    EXPECT_EQ(task.loss(step).item<double>(), alone(step)) << step;
  }
  EXPECT_EQ(task.loss(2).item<double>(), alone(2)) << "in another order";
  EXPECT_NE(alone(2), alone(3));
}

// A training that goes on from a state may owe the validation of a step that it does not take.
TEST_F(TrainingTaskOracle, AValidationIsOfTheStepThatIsSaid) {
  TrainingData data = colours();
  data.validation = data.real;
  const TrainOptions options;
  const TrainingSetup setup = setup_for(data, options, lone_rank());
  const BatchPlan plan{.real = 4, .real_weight = 1, .steps = 6};
  ValidationRecord record(folder_.path() / "best", "identity");
  TrainingTask(setup, plan, lora_, parameters_, record).validation_loss(5);
  ASSERT_EQ(record.curve().size(), 1U);
  EXPECT_EQ(record.curve().begin()->first, 5);
  EXPECT_EQ(record.best_step(), 5);
}

TEST_F(TrainingTaskOracle, AValidationCanBeStopped) {
  TrainingData data = colours();
  data.validation = data.real;
  const TrainOptions options;
  NullReporter silent;
  CancelToken cancel;
  cancel.request();
  const TrainingSetup setup{
      model_,      data,  class_prompts(model_, data.class_names, "a {}", silent), options, 5, 1,
      lone_rank(), cancel};
  const BatchPlan plan{.real = 4, .real_weight = 1, .steps = 6};
  ValidationRecord record(folder_.path() / "best", "identity");
  TrainingTask task(setup, plan, lora_, parameters_, record);
  EXPECT_THROW(task.validation_loss(3), Error);
  EXPECT_TRUE(record.curve().empty());
}

TEST_F(TrainingTaskOracle, PartsPreparedAheadAreThoseOfTheirStep) {
  const TrainingData data = colours();
  TrainOptions options;
  options.mixing.share = 0.5;
  // A task asks its ranks for nothing but their number; the parts of both are computed here.
  test::AbsentRanks ranks;
  const TrainingSetup shared = setup_for(data, options, ranks);
  const TrainingSetup whole = setup_for(data, options, lone_rank());
  const BatchPlan plan{.real = 5, .real_weight = 1, .steps = 8};
  ValidationRecord record(folder_.path() / "best", "identity");
  const auto task_of = [&](const TrainingSetup& setup) {
    return std::make_unique<TrainingTask>(setup, plan, lora_, parameters_, record);
  };
  const std::array tasks{task_of(shared), task_of(shared)};
  for (std::int64_t step = 0; step < plan.steps; ++step) {
    double sum = 0;
    for (const std::int64_t part : {0, 1}) {
      const double loss =
          tasks[static_cast<std::size_t>(part)]->part_of_loss(step, part).item<double>();
      EXPECT_EQ(loss, task_of(shared)->part_of_loss(step, part).item<double>()) << step;
      sum += loss;
    }
    EXPECT_NEAR(sum, task_of(whole)->loss(step).item<double>(), 1e-5) << step;
  }
}

}  // namespace
}  // namespace dd::classify
