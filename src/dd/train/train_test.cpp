// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/mse_loss.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dd/core/event_file.h"
#include "dd/core/files.h"
#include "dd/io/safetensors.h"
#include "dd/tensor/device.h"
#include "dd/train/batches.h"
#include "dd/train/engine.h"
#include "support/temporary_folder.h"

namespace {

using dd::train::EngineOptions;
using dd::train::FlatParameters;

/// Fits a line to numbers that follow from the step; asks to stop at `stop_at`.
class LineTask final : public dd::train::Task {
 public:
  LineTask(at::Tensor slope, at::Tensor offset)
      : slope_(std::move(slope)), offset_(std::move(offset)) {}

  at::Tensor loss(std::int64_t step) override {
    if (step == stop_at) token.request();
    if (step == give_up_at) dd::CancelToken::stop();
    const at::Tensor x = dd::seeded_randn({16}, static_cast<std::uint64_t>(step));
    return at::mse_loss(x * slope_ + offset_, x * goal - 1.0);
  }
  std::optional<double> validation_loss(std::int64_t) override {
    if (++validations == stop_in_validation) dd::CancelToken::stop();
    return (slope_ - goal).square().item<double>() + (offset_ + 1.0).square().item<double>();
  }

  std::vector<std::pair<std::string, double>> validation_figures() const override {
    return {{"slope", slope_.item<double>()}};
  }

  dd::CancelToken token;
  std::int64_t stop_at = -1;
  std::int64_t give_up_at = -1;
  int stop_in_validation = 0;  ///< the first is 1
  int validations = 0;
  double goal = 3.0;

 private:
  at::Tensor slope_;
  at::Tensor offset_;
};

struct Outcome {
  at::Tensor values;
  dd::train::TrainResult result;
};

struct Rig {
  at::Tensor slope = at::full({1}, 0.5);
  at::Tensor offset = at::full({1}, 0.25);
  FlatParameters parameters{{{"slope", slope}, {"offset", offset}}};
  LineTask task{slope, offset};
};

EngineOptions options(const std::filesystem::path& state) {
  EngineOptions engine;
  engine.keep_step_losses = true;
  engine.steps = 60;
  engine.validate_every = 20;
  engine.ema_decay = 0.9;
  engine.state_file = state;
  engine.identity = "line";
  engine.optimizer.learning_rate = 0.1;
  engine.optimizer.warmup = 5;
  return engine;
}

Outcome run(Rig& setup, const EngineOptions& engine) {
  dd::NullReporter report;
  dd::Context context{report, setup.task.token};
  dd::train::TrainResult result =
      dd::train::run_training(engine, setup.parameters, setup.task, context);
  return {setup.parameters.data().clone(), std::move(result)};
}

TEST(Engine, LearnsAndRecordsItsCurves) {
  Rig setup;
  const Outcome outcome = run(setup, options(""));
  EXPECT_LT(outcome.result.validation.back().value, 0.2 * outcome.result.validation.front().value);
  EXPECT_EQ(outcome.result.validation.size(), 4U);
  EXPECT_EQ(outcome.result.losses.size(), 6U);
  ASSERT_EQ(outcome.result.step_losses.size(), 60U);
  double sum = 0;
  for (std::size_t i = 20; i < 30; ++i) sum += outcome.result.step_losses[i].value;
  EXPECT_NEAR(outcome.result.losses[2].value, sum / 10, 1e-12);
  EXPECT_EQ(outcome.result.step_losses[59].step, 60);
  EXPECT_TRUE(at::equal(setup.slope, outcome.values.narrow(0, 0, 1)))
      << "parameters must be views of the buffer";
}

TEST(Engine, ContinuesBitForBitAfterAStopAtAnyStep) {
  Rig whole;
  const Outcome expected = run(whole, options(""));
  for (const std::int64_t stop : {-1, 1, 13, 20, 58}) {
    const dd::test::TemporaryFolder folder;
    Rig first;
    first.task.stop_at = stop;
    if (stop < 0) first.task.token.request();  // before the first step
    EXPECT_THROW(run(first, options(folder.path() / "state")), dd::Error);
    Rig second;
    const Outcome outcome = run(second, options(folder.path() / "state"));
    EXPECT_TRUE(at::equal(outcome.values, expected.values)) << "stopped at " << stop;
    ASSERT_EQ(outcome.result.losses.size(), expected.result.losses.size());
    for (std::size_t i = 0; i < expected.result.losses.size(); ++i) {
      EXPECT_EQ(outcome.result.losses[i].value, expected.result.losses[i].value);
    }
    EXPECT_EQ(outcome.result.validation.size(), expected.result.validation.size());
    ASSERT_EQ(outcome.result.step_losses.size(), expected.result.step_losses.size());
    for (std::size_t i = 0; i < expected.result.step_losses.size(); ++i) {
      EXPECT_EQ(outcome.result.step_losses[i].step, expected.result.step_losses[i].step);
      EXPECT_EQ(outcome.result.step_losses[i].value, expected.result.step_losses[i].value);
    }
  }
}

TEST(Engine, MakesUpForAValidationThatWasStopped) {
  Rig whole;
  const Outcome expected = run(whole, options(""));
  for (const int which : {1, 2, 4}) {  // before the first step, on the way, at the end
    const dd::test::TemporaryFolder folder;
    Rig first;
    first.task.stop_in_validation = which;
    EXPECT_THROW(run(first, options(folder.path() / "state")), dd::Error);
    Rig second;
    const Outcome outcome = run(second, options(folder.path() / "state"));
    EXPECT_EQ(first.task.validations - 1 + second.task.validations, 4) << which;
    EXPECT_TRUE(at::equal(outcome.values, expected.values)) << which;
    ASSERT_EQ(outcome.result.validation.size(), expected.result.validation.size()) << which;
    for (std::size_t i = 0; i < expected.result.validation.size(); ++i) {
      EXPECT_EQ(outcome.result.validation[i].step, expected.result.validation[i].step);
      EXPECT_EQ(outcome.result.validation[i].value, expected.result.validation[i].value);
    }
  }
}

TEST(Engine, StatesThatAreDamagedAreNamed) {
  const dd::test::TemporaryFolder folder;
  const std::filesystem::path state = folder.path() / "state";
  Rig stopped;
  stopped.task.stop_at = 13;
  EXPECT_THROW(run(stopped, options(state)), dd::Error);
  dd::io::NamedTensors tensors;
  dd::io::Metadata metadata;
  {
    const dd::io::SafetensorsFile file(state);
    metadata = file.metadata();
    for (const dd::io::TensorInfo& info : file.infos())
      tensors.emplace_back(info.name, file.tensor(info.name).clone());
  }
  for (const char* progress : {"", "{", "[]", R"({"step": "x"})", R"({"step": 3})"}) {
    metadata["progress"] = progress;
    dd::io::write_safetensors(state, tensors, metadata);
    Rig rig;
    try {
      run(rig, options(state));
      ADD_FAILURE() << "resumed from " << progress;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(state.string() + " is not a training state; "),
                std::string::npos)
          << error.what();
    }
  }
}

/// The lines of `count` Rigs, computed together: the first has a slope of 3, the next of 4, …
class LinesTask final : public dd::train::JointTask {
 public:
  LinesTask(at::Tensor slopes, at::Tensor offsets)
      : slopes_(std::move(slopes)), offsets_(std::move(offsets)) {}

  std::int64_t parts() const override { return 2; }
  at::Tensor part_of_losses(std::int64_t step, std::int64_t part) override {
    if (step == stop_at) token.request();
    const at::Tensor x =
        dd::seeded_randn({16}, static_cast<std::uint64_t>(step)).view({2, 8})[part];
    const at::Tensor gap = x * slopes_ + offsets_ - (x * target() - 1.0);
    return gap.square().mean(1) * 0.5;
  }
  std::vector<double> validation_losses() override {
    if (++validations == stop_in_validation) dd::CancelToken::stop();
    const at::Tensor losses =
        ((slopes_ - target()).square() + (offsets_ + 1.0).square()).squeeze(1).to(at::kDouble);
    std::vector<double> values;
    for (std::int64_t i = 0; i < losses.numel(); ++i) values.push_back(losses[i].item<double>());
    return values;
  }

  dd::CancelToken token;
  std::int64_t stop_at = -1;
  int validations = 0;
  int stop_in_validation = 0;

 private:
  at::Tensor target() const { return at::full_like(slopes_, 1).cumsum(0) + 2.0; }

  at::Tensor slopes_;
  at::Tensor offsets_;
};

struct JointRig {
  explicit JointRig(std::int64_t count)
      : slopes(at::full({count, 1}, 0.5)), offsets(at::full({count, 1}, 0.25)) {}

  std::vector<dd::train::TrainResult> run(const std::filesystem::path& states) {
    std::vector<EngineOptions> engines;
    for (std::int64_t i = 0; i < parameters.size(); ++i) {
      engines.push_back(options(states.empty() ? states : states / std::to_string(i)));
    }
    dd::NullReporter report;
    dd::Context context{report, task.token};
    return dd::train::run_joint_training("lines", engines, parameters, task, context);
  }

  at::Tensor slopes;
  at::Tensor offsets;
  dd::train::StackedParameters parameters{{{"slope", slopes}, {"offset", offsets}}};
  LinesTask task{slopes, offsets};
};

void expect_same_curve(const std::vector<dd::train::CurvePoint>& actual,
                       const std::vector<dd::train::CurvePoint>& expected, double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].step, expected[i].step);
    EXPECT_NEAR(actual[i].value, expected[i].value, relative * std::abs(expected[i].value));
  }
}

TEST(JointTraining, EachGoesAsItWouldAlone) {
  JointRig joint(3);
  const std::vector<dd::train::TrainResult> results = joint.run("");
  ASSERT_EQ(results.size(), 3U);
  for (std::int64_t i = 0; i < 3; ++i) {
    Rig alone;
    alone.task.goal = 3.0 + static_cast<double>(i);
    const Outcome expected = run(alone, options(""));
    const dd::train::TrainResult& result = results[static_cast<std::size_t>(i)];
    EXPECT_NEAR(joint.slopes[i].item<double>(), alone.slope.item<double>(), 1e-5);
    EXPECT_NEAR(joint.offsets[i].item<double>(), alone.offset.item<double>(), 1e-5);
    expect_same_curve(result.losses, expected.result.losses, 1e-4);
    expect_same_curve(result.step_losses, expected.result.step_losses, 1e-4);
    expect_same_curve(result.validation, expected.result.validation, 1e-4);
    EXPECT_EQ(joint.parameters.row(i).layout(), alone.parameters.layout());
  }
}

/// A steep loss beside a flat one: each gradient is held to the limit by itself.
TEST(JointTraining, ClipsEachByItself) {
  const at::Tensor stacked = at::full({2, 3}, 1.0);
  dd::train::StackedParameters parameters({{"x", stacked}});
  (stacked * dd::seeded_randn({2, 3}, 1) * at::full({2, 1}, 1.0).cumsum(0).pow(10))
      .sum()
      .backward();
  EXPECT_FALSE(parameters.row(1).gradient().any().item<bool>());
  parameters.gather_gradient();
  const at::Tensor before = parameters.row(0).gradient().clone();
  EXPECT_GT(parameters.row(1).clip_gradient(0.25).item<double>(), 0.25);
  EXPECT_NEAR(parameters.row(1).gradient().norm().item<double>(), 0.25, 1e-5);
  EXPECT_TRUE(at::equal(parameters.row(0).gradient(), before));
  parameters.zero_gradient();
  parameters.gather_gradient();
  EXPECT_FALSE(parameters.row(0).gradient().any().item<bool>());
}

TEST(JointTraining, ContinuesBitForBitAndFromStatesOfTrainingsAlone) {
  JointRig whole(3);
  const auto expected = whole.run("");
  const dd::test::TemporaryFolder folder;
  JointRig first(3);
  first.task.stop_at = 23;
  EXPECT_THROW(first.run(folder.path()), dd::Error);
  EXPECT_EQ(dd::train::resumable_step(folder.path() / "1"), 23) << "stopped between its parts";
  EXPECT_EQ(dd::train::resumable_step(folder.path() / "none"), 0);
  JointRig second(3);
  const auto results = second.run(folder.path());
  EXPECT_TRUE(at::equal(second.slopes, whole.slopes));
  for (std::size_t i = 0; i < 3; ++i) {
    expect_same_curve(results[i].step_losses, expected[i].step_losses, 0);
    expect_same_curve(results[i].validation, expected[i].validation, 0);
  }

  const dd::test::TemporaryFolder other;
  Rig alone;
  alone.task.stop_at = 23;
  EXPECT_THROW(run(alone, options(other.path() / "0")), dd::Error);
  JointRig rest(1);
  rest.run(other.path());
  EXPECT_NEAR(rest.slopes.item<double>(), whole.slopes[0].item<double>(), 1e-5);
}

TEST(JointTraining, MakesUpForAValidationThatWasStopped) {
  JointRig whole(3);
  const auto expected = whole.run("");
  for (const int which : {1, 2, 4}) {  // before the first step, on the way, at the end
    const dd::test::TemporaryFolder folder;
    JointRig first(3);
    first.task.stop_in_validation = which;
    EXPECT_THROW(first.run(folder.path()), dd::Error);
    JointRig second(3);
    const auto results = second.run(folder.path());
    EXPECT_EQ(first.task.validations - 1 + second.task.validations, 4) << which;
    EXPECT_TRUE(at::equal(second.slopes, whole.slopes)) << which;
    for (std::size_t i = 0; i < 3; ++i) {
      expect_same_curve(results[i].validation, expected[i].validation, 0);
    }
  }
}

/// The events of a file without their time of day, which stands in the first nine bytes.
std::vector<std::string> events_in(const std::filesystem::path& folder) {
  const std::string bytes = dd::read_file(folder / dd::EventFile::kName);
  EXPECT_EQ(dd::event_bytes::whole_records(bytes), bytes.size());
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto size = static_cast<unsigned char>(bytes[at]);  // all are short
    events.push_back(bytes.substr(at + 21, size - 9U));
    at += 16U + size;
  }
  return events;
}

TEST(Engine, WritesItsCurvesForTensorBoardAlsoWhenItWasStopped) {
  const dd::test::TemporaryFolder folder;
  EngineOptions engine = options("");
  engine.events = folder.path() / "whole";
  Rig whole;
  const Outcome expected = run(whole, engine);
  std::vector<std::string> wanted = events_in(engine.events);
  // The file's version; loss and rate of 6 stretches; loss and slope of 4 validations.
  EXPECT_EQ(wanted.size(), 1U + 6 * 2 + 4 * 2);
  const dd::train::CurvePoint& last = expected.result.losses.back();
  EXPECT_EQ(std::ranges::count(wanted, dd::event_bytes::scalar_event(0, last.step, "loss",
                                                                     static_cast<float>(last.value))
                                           .substr(9)),
            1);

  engine = options(folder.path() / "state");
  engine.events = folder.path() / "stopped";
  Rig first;
  first.task.stop_at = 33;
  EXPECT_THROW(run(first, engine), dd::Error);
  Rig second;
  run(second, engine);
  std::vector<std::string> events = events_in(engine.events);
  const std::string restart = dd::event_bytes::restart_event(0, 35).substr(9);
  EXPECT_EQ(std::erase(events, restart), 1U);
  EXPECT_EQ(events, wanted);

  // What starts over starts a file of its own.
  std::filesystem::remove(folder.path() / "state");
  Rig third;
  run(third, engine);
  EXPECT_EQ(events_in(engine.events), wanted);
}

TEST(Engine, TakesNoStepAgainThatWasTaken) {
  const dd::test::TemporaryFolder folder;
  Rig first;
  const Outcome expected = run(first, options(folder.path() / "state"));
  Rig second;
  second.task.stop_at = 0;  // the first step would be refused
  const Outcome outcome = run(second, options(folder.path() / "state"));
  EXPECT_TRUE(at::equal(outcome.values, expected.values));
  EXPECT_EQ(outcome.result.losses.size(), expected.result.losses.size());
}

/// The words that a training with these options refuses a state of step 11 of the usual ones with.
std::string refusal(const EngineOptions& other) {
  Rig first;
  first.task.stop_at = 10;
  EXPECT_THROW(run(first, options(other.state_file)), dd::Error);
  Rig second;
  try {
    run(second, other);
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "it was not refused";
  return {};
}

TEST(Engine, RefusesAStateOfOtherSettings) {
  const dd::test::TemporaryFolder folder;
  EngineOptions other = options(folder.path() / "state");
  other.identity = "circle";
  const std::string text = refusal(other);
  EXPECT_NE(text.find("--force"), std::string::npos) << text;
}

TEST(Engine, RefusesAStateBeyondTheStepsThatAreAskedFor) {
  const dd::test::TemporaryFolder folder;
  EngineOptions fewer = options(folder.path() / "state");
  fewer.steps = 5;
  const std::string text = refusal(fewer);
  EXPECT_NE(text.find("after the 5"), std::string::npos) << text;
}

/// As when another rank fails in the middle of a step.
TEST(Engine, SavesTheLastStepWhenOneIsGivenUp) {
  const dd::test::TemporaryFolder folder;
  Rig first;
  first.task.give_up_at = 31;
  EXPECT_THROW(run(first, options(folder.path() / "state")), dd::Error);
  EXPECT_EQ(dd::train::resumable_step(folder.path() / "state"), 31);
  Rig whole;
  Rig second;
  EXPECT_TRUE(at::equal(run(second, options(folder.path() / "state")).values,
                        run(whole, options("")).values));
}

TEST(Engine, StopsWhenTheLossIsNotFinite) {
  Rig setup;
  EngineOptions engine = options("");
  setup.parameters.data().fill_(std::nan(""));
  EXPECT_THROW(run(setup, engine), dd::Error);
}

TEST(FlatParameters, ClippingScalesToTheNormAndNoFurther) {
  Rig setup;
  setup.parameters.gradient().copy_(at::full({2}, 3.0));
  setup.parameters.clip_gradient(1.0);
  EXPECT_NEAR(setup.parameters.gradient().norm().item<double>(), 1.0, 1e-5);
  setup.parameters.gradient().copy_(at::full({2}, 0.1));
  setup.parameters.clip_gradient(1.0);
  EXPECT_FLOAT_EQ(setup.parameters.gradient()[0].item<float>(), 0.1F);
}

TEST(LearningRate, WarmsUpAndFallsAsACosine) {
  dd::train::OptimizerOptions rate;
  rate.learning_rate = 2;
  rate.warmup = 10;
  EXPECT_EQ(dd::train::learning_rate(rate, 0, 110), 0);
  EXPECT_DOUBLE_EQ(dd::train::learning_rate(rate, 5, 110), 1);
  EXPECT_DOUBLE_EQ(dd::train::learning_rate(rate, 10, 110), 2);
  EXPECT_NEAR(dd::train::learning_rate(rate, 60, 110), 1, 1e-12);
  EXPECT_NEAR(dd::train::learning_rate(rate, 110, 110), 0, 1e-12);
  EXPECT_GT(dd::train::learning_rate(rate, 3, 9), 1.5)
      << "a short run must leave the warm-up behind";
  rate.schedule = "trapezoid";
  EXPECT_EQ(dd::train::learning_rate(rate, 79, 100), 2);
  EXPECT_LT(dd::train::learning_rate(rate, 99, 100), 0.1);
}

TEST(BatchOrder, EveryEpochHoldsEachSampleOnceInAnotherOrder) {
  dd::train::BatchOrder order(10, 4, 3);
  std::vector<std::int64_t> seen;
  for (std::int64_t step = 0; step < 5; ++step) {
    for (const auto& [index, epoch] : order.batch(step)) {
      EXPECT_EQ(epoch, static_cast<std::int64_t>(seen.size()) / 10);
      seen.push_back(index);
    }
  }
  std::vector<std::int64_t> first(seen.begin(), seen.begin() + 10);
  std::vector<std::int64_t> second(seen.begin() + 10, seen.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::unique(first.begin(), first.end()), first.end());
  const auto again = dd::train::BatchOrder(10, 4, 3).batch(2);
  EXPECT_EQ(again[0].index, seen[8]) << "a step's batch must not depend on earlier calls";
}

}  // namespace
