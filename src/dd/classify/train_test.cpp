// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/train.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <sstream>

#include "dd/classify/adapter_file.h"
#include "dd/classify/classifier_file.h"
#include "dd/core/files.h"
#include "dd/data/shots.h"
#include "support/classifier_case.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

/// Asks for a stop once the engine has done so many steps.
class StopAfter final : public Reporter {
 public:
  StopAfter(CancelToken& cancel, std::int64_t steps) : cancel_(cancel), steps_(steps) {}
  void info(const std::string&) override {}
  void warn(const std::string&) override {}
  void progress(const std::string& task, std::int64_t done, std::int64_t,
                const std::string&) override {
    if (task.starts_with("train classifier") && done == steps_) cancel_.request();
  }

 private:
  CancelToken& cancel_;
  std::int64_t steps_;
};

class TrainTest : public test::ClassifierCase {
 protected:
  Json record(const std::string& out) const { return read_json(root() / out / kClassifierFile); }
  std::string adapter(const std::string& out) const {
    return read_file(root() / out / kAdapterFile);
  }
  bool has_states(const std::string& out) const {
    return fs::exists(root() / out / "training_state.safetensors") ||
           fs::exists(root() / out / "best_state.safetensors");
  }
  double top1_on_validation_images(const std::string& classifier) {
    EvaluateOptions options;
    options.clip = both().clip;
    options.classifier = root() / classifier;
    options.data = photos();
    options.split = "val";
    common_.out = root() / "scored";
    return run_evaluate(options, common_, context_).accuracy.top1;
  }
  /// Trains with a stop after `steps`, which must take effect.
  void interrupt(const TrainOptions& options, const std::string& out, std::int64_t steps) {
    CancelToken cancel;
    StopAfter reporter(cancel, steps);
    Context context{reporter, cancel};
    common_.out = root() / out;
    EXPECT_NE(error_of(ErrorKind::kCancelled, [&] { run_train(options, common_, context); }), "");
    EXPECT_FALSE(fs::exists(common_.out / kClassifierFile));
  }
};

TEST_F(TrainTest, LearnsFromBothKindsAndSaysWhatItSaw) {
  TrainOptions options = both();
  options.steps = 60;
  const TrainClassifierResult result = train(options, "out");
  EXPECT_EQ(result.classes, 3);
  EXPECT_EQ(result.real_images, 9);
  EXPECT_EQ(result.synthetic_images, 18);
  EXPECT_EQ(result.steps, 60);
  EXPECT_DOUBLE_EQ(result.lambda, 0.8);
  const Json curve = record("out").at("curves").at("loss");
  EXPECT_LT(result.last_loss, 0.7 * curve.front().at(1).get<double>());
  EXPECT_EQ(record("out").at("class_names"), Json({"blue_coat", "green_bag", "red_top"}));
  EXPECT_FALSE(has_states("out"));
  EXPECT_GT(evaluate("out", "adapted").accuracy.top1, 0.9) << "colours are easy";
}

TEST_F(TrainTest, OneKindAloneIsTrainedOnWithoutNan) {
  for (const bool real : {true, false}) {
    TrainOptions options = both();
    if (real) {
      options.synthetic.clear();
    } else {
      options.real.clear();
      options.shots = 0;
    }
    const TrainClassifierResult result = train(options, real ? "real" : "synthetic");
    EXPECT_TRUE(std::isfinite(result.last_loss));
    EXPECT_DOUBLE_EQ(result.lambda, real ? 1 : 0);
    EXPECT_EQ(result.real_images, real ? 9 : 0);
    EXPECT_EQ(result.synthetic_images, real ? 0 : 18);
  }
}

TEST_F(TrainTest, LambdaAtItsEndsEqualsTrainingOnOneKind) {
  TrainOptions options = both();
  options.lambda = 1;
  train(options, "end");
  options = both();
  options.synthetic.clear();
  train(options, "real");
  EXPECT_EQ(adapter("end"), adapter("real"));
}

TEST_F(TrainTest, TheStartIsZeroShotClip) {
  TrainOptions options = both();
  options.optimizer.learning_rate = 0;
  train(options, "still");
  const EvaluateResult zero_shot = evaluate("", "zero");
  const EvaluateResult still = evaluate("still", "scored");
  EXPECT_EQ(zero_shot.accuracy.confusion, still.accuracy.confusion);
  // Merged weights lie elsewhere in memory, by which sums may be rounded otherwise.
  EXPECT_NEAR(zero_shot.accuracy.ece, still.accuracy.ece, 1e-6);
}

TEST_F(TrainTest, TheCurveFileHasLossAndRateOfEachStep) {
  train(both(), "out");
  std::istringstream lines(read_file(root() / "out" / kCurveFile));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "step,loss,rate");
  std::vector<double> losses;
  std::vector<double> rates;
  for (std::int64_t step = 1; std::getline(lines, line); ++step) {
    double loss = 0;
    double rate = 0;
    long long number = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lld,%lf,%lf", &number, &loss, &rate), 3) << line;
    EXPECT_EQ(number, step);
    losses.push_back(loss);
    rates.push_back(rate);
  }
  ASSERT_EQ(losses.size(), 12);
  EXPECT_DOUBLE_EQ(rates[0], 0);
  EXPECT_DOUBLE_EQ(rates[1], 0.005);
  EXPECT_DOUBLE_EQ(rates[2], 0.01);
  EXPECT_LT(rates[11], 0.001);
  const Json curves = record("out").at("curves");
  const double mean = std::accumulate(losses.begin(), losses.begin() + 10, 0.0) / 10;
  EXPECT_NEAR(curves.at("loss").at(0).at(1).get<double>(), mean, 1e-6);
  EXPECT_NEAR(curves.at("rate").at(1).at(1).get<double>(), rates[11], 1e-9);
}

TEST_F(TrainTest, EveryOptionOfTheLossIsTrainedWithAndMatters) {
  TrainOptions options = both();
  train(options, "plain");
  const auto differs = [this](const TrainOptions& changed, const std::string& out) {
    EXPECT_TRUE(std::isfinite(train(changed, out).last_loss)) << out;
    EXPECT_NE(adapter(out), adapter("plain")) << out;
  };
  options.label_smoothing = 0.1;
  differs(options, "smooth");
  options = both();
  options.mixing.share = 1;
  differs(options, "mixed");
  options = both();
  options.augmentation.rand_augment = 2;
  differs(options, "rand-augment");
  options = both();
  options.augment_preset = "paper";
  differs(options, "paper");
  EXPECT_EQ(record("paper").at("settings").at("greyscale"), 0.2);
  options = both();
  options.dropout = 0.3;
  differs(options, "dropout");
}

TEST_F(TrainTest, DropoutIsOffWhereAccuracyIsMeasured) {
  TrainOptions options = both();
  options.dropout = 0.5;
  options.optimizer.learning_rate = 0.05;
  options.val = photos();
  options.validate_every = 3;
  const TrainClassifierResult result = train(options, "often");
  EXPECT_NEAR(top1_on_validation_images("often"), *result.validation_top1, 1e-12);
  options.validate_every = 5;
  train(options, "seldom");
  EXPECT_EQ(adapter("seldom"), adapter("often")) << "a look at validation images changes nothing";
}

TEST_F(TrainTest, AnInterruptedTrainingEndsBitForBitAsAnUninterruptedOne) {
  TrainOptions options = both();
  options.dropout = 0.2;
  options.label_smoothing = 0.1;
  options.mixing.share = 0.5;
  options.augmentation.rand_augment = 2;
  options.val = photos();
  options.validate_every = 2;
  options.choose = "best";
  train(options, "whole");
  interrupt(options, "parts", 5);
  EXPECT_TRUE(has_states("parts"));
  interrupt(options, "parts", 6);
  train(options, "parts");
  EXPECT_EQ(adapter("parts"), adapter("whole"));
  EXPECT_EQ(record("parts").at("curves"), record("whole").at("curves"));
  EXPECT_EQ(read_file(root() / "parts" / kCurveFile), read_file(root() / "whole" / kCurveFile));
  EXPECT_EQ(record("parts").at("chosen_step"), record("whole").at("chosen_step"));
  EXPECT_FALSE(has_states("parts"));
}

TEST_F(TrainTest, AStateOfOtherSettingsIsRefusedUnlessForced) {
  TrainOptions options = both();
  interrupt(options, "out", 5);
  options.optimizer.learning_rate = 0.02;
  EXPECT_NE(error_of(ErrorKind::kUsage, [&] { train(options, "out"); }).find("--force"),
            std::string::npos);
  common_.force = true;
  train(options, "out");
  train(options, "fresh");
  EXPECT_EQ(adapter("out"), adapter("fresh"));
}

TEST_F(TrainTest, ACompleteClassifierIsSkippedAndOtherSettingsAreRefused) {
  TrainOptions options = both();
  const TrainClassifierResult first = train(options, "out");
  EXPECT_FALSE(first.skipped);
  const TrainClassifierResult again = train(options, "out");
  EXPECT_TRUE(again.skipped);
  EXPECT_DOUBLE_EQ(again.last_loss, first.last_loss);
  options.save_every = 3;
  EXPECT_TRUE(train(options, "out").skipped) << "how often states are kept changes no result";
  common_.seed = 1;
  EXPECT_NE(error_of(ErrorKind::kUsage, [&] { train(options, "out"); }), "");
  common_.seed = 0;
  test::write_colour_set(root() / "images", 1, 99);  // other pictures under the same names
  EXPECT_NE(error_of(ErrorKind::kUsage, [&] { train(options, "out"); }), "");
}

TEST_F(TrainTest, ValidationChoosesLambdaAndStep) {
  TrainOptions options = both();
  options.val = photos();
  options.lambdas = {"0.25", "0.75"};
  options.choose = "best";
  options.validate_every = 3;
  const TrainClassifierResult result = train(options, "out");
  const Json tried = record("out").at("lambdas");
  ASSERT_EQ(tried.size(), 2);
  double best = 0;
  for (const Json& item : tried) best = std::max(best, item.at("validation_top1").get<double>());
  EXPECT_DOUBLE_EQ(*result.validation_top1, best);
  double best_of_curve = 0;
  const Json curves = record("out").at("curves");
  for (const Json& point : curves.at("validation_top1")) {
    best_of_curve = std::max(best_of_curve, point.at(1).get<double>());
  }
  EXPECT_DOUBLE_EQ(best_of_curve, best) << "the best step of the chosen lambda was kept";
  const std::string chosen = result.lambda == 0.25 ? "out/lambda-0.25" : "out/lambda-0.75";
  EXPECT_EQ(adapter("out"), adapter(chosen));
  EXPECT_TRUE(train(options, "out").skipped);
}

TEST_F(TrainTest, KeepsTheWeightsThatScoredBestOnValidationImages) {
  TrainOptions options = both();
  options.val = photos();
  options.validate_every = 2;
  options.choose = "best";
  options.optimizer.learning_rate = 0.3;  // too high, so that accuracy jumps
  const TrainClassifierResult result = train(options, "out");
  EXPECT_NEAR(top1_on_validation_images("out"), *result.validation_top1, 1e-12);
}

TEST_F(TrainTest, ShotsOfAnEarlierDrawAreTaken) {
  const auto photos_set = open_dataset(parse_data_spec(photos()), "train");
  ShotRecord shots{photos(), "train", 7, 2, draw_shots(*photos_set, 2, 7)};
  write_shots(root() / "shots.json", *photos_set, shots);
  TrainOptions options = both();
  options.shots = 0;
  options.shots_file = root() / "shots.json";
  EXPECT_EQ(train(options, "out").real_images, 6);
  options.shots = 1;
  EXPECT_EQ(train(options, "one").real_images, 3);
  options.shots = 3;
  const std::string text = error_of(ErrorKind::kInput, [&] { train(options, "three"); });
  EXPECT_NE(text.find("holds 2 images"), std::string::npos) << text;
}

TEST_F(TrainTest, TheFirstSyntheticImagesOfEachClassAreTaken) {
  TrainOptions options = both();
  options.images_per_class = 2;
  EXPECT_EQ(train(options, "two").synthetic_images, 6);
  test::write_colour_set(root() / "fewer", 2, 1);
  options.synthetic = root() / "fewer";
  options.images_per_class = 0;
  train(options, "fewer-out");
  EXPECT_EQ(adapter("two"), adapter("fewer-out")) << "the same pictures, the same classifier";
  options.images_per_class = 3;
  const std::string text = error_of(ErrorKind::kInput, [&] { train(options, "three"); });
  EXPECT_NE(text.find("3 are asked for"), std::string::npos) << text;
}

TEST_F(TrainTest, WrongInputIsNamedAndNothingIsWritten) {
  const auto refuse = [this](const TrainOptions& options, const std::string& word) {
    const std::string text = error_of(ErrorKind::kInput, [&] { train(options, "out"); });
    EXPECT_NE(text.find(word), std::string::npos) << text;
    EXPECT_FALSE(fs::exists(root() / "out"));
  };
  TrainOptions options = both();
  options.shots = 6;
  refuse(options, "has 5 images");
  options = both();
  options.clip = root() / "nowhere";
  refuse(options, "--clip");
  options = both();
  write_file_atomically(root() / "images" / "red_top" / "00003.png", "no picture");
  refuse(options, "00003.png");
  fs::remove_all(root() / "images" / "red_top");
  refuse(options, "\"red_top\"");
  fs::create_directory(root() / "images" / "red_top");
  refuse(options, "has no images");
}

TEST_F(TrainTest, ADryRunWritesNothing) {
  common_.dry_run = true;
  EXPECT_EQ(train(both(), "out").steps, 12);
  EXPECT_FALSE(fs::exists(root() / "out"));
}

}  // namespace
}  // namespace dd::classify
