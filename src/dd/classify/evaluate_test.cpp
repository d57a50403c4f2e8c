// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/evaluate.h"

#include <sstream>

#include "dd/classify/clip_model.h"
#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/classifier_case.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

class EvaluateTest : public test::ClassifierCase {
 protected:
  std::vector<std::vector<std::string>> predictions(const std::string& out) const {
    std::istringstream text(read_file(root() / out / "predictions.csv"));
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(text, line);) {
      std::istringstream cells(line);
      rows.emplace_back();
      for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
  }
};

TEST_F(EvaluateTest, MetricsAndPredictionsAgree) {
  const EvaluateResult result = evaluate("", "out");
  const Json metrics = read_json(root() / "out" / "metrics.json");
  EXPECT_EQ(metrics.at("n"), 21);
  EXPECT_EQ(metrics.at("split"), "test");
  EXPECT_EQ(metrics.at("protocol"), "held-out");
  EXPECT_EQ(metrics.at("method"), "zero-shot");
  EXPECT_EQ(metrics.at("class_names"), Json({"blue_coat", "green_bag", "red_top"}));
  EXPECT_DOUBLE_EQ(metrics.at("top5").get<double>(), 1.0);
  const auto rows = predictions("out");
  ASSERT_EQ(rows.size(), 22);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"file", "label", "predicted", "blue_coat",
                                               "green_bag", "red_top"}));
  int right = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 6);
    EXPECT_TRUE(fs::exists(root() / "photos" / rows[i][0])) << rows[i][0];
    const auto predicted = static_cast<std::size_t>(std::stoi(rows[i][2]));
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_LE(std::stof(rows[i][3 + c]), std::stof(rows[i][3 + predicted]));
    }
    right += rows[i][1] == rows[i][2] ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(result.accuracy.top1, right / 21.0);
  EXPECT_DOUBLE_EQ(metrics.at("top1").get<double>(), right / 21.0);
}

TEST_F(EvaluateTest, LogitsAreThoseOfTheModelCalledByHand) {
  evaluate("", "out");
  const ClipModel model = ClipModel::load(test::oracle_path("models/clip"), {});
  const auto rows = predictions("out");
  std::vector<Image> image{model.preprocess.fit(read_image(root() / "photos" / rows[5][0]))};
  const at::Tensor features = model.clip.encode_images(model.preprocess.pixels(image, {}));
  for (std::size_t c = 0; c < 3; ++c) {
    // One class at a time and with all positions: neither may matter.
    std::string name = rows[0][3 + c];
    std::replace(name.begin(), name.end(), '_', ' ');
    const Encoding encoding = model.tokenizer.encode("a photo of a " + name);
    const at::Tensor tokens = class_prompts(model, {name}, "a photo of a {}", reporter_).tokens;
    EXPECT_EQ(tokens.size(1), encoding.length);
    const at::Tensor logit = cosine_logits(model, features, model.clip.encode_texts(tokens));
    EXPECT_NEAR(logit.item<float>(), std::stof(rows[5][3 + c]), 1e-4);
  }
}

TEST_F(EvaluateTest, BatchAndThreadsChangeNothing) {
  const EvaluateResult whole = evaluate("", "whole");
  EvaluateOptions options;
  options.clip = test::oracle_path("models/clip");
  options.data = photos();
  options.batch = 4;
  common_.threads = 3;
  common_.out = root() / "parts";
  const EvaluateResult parts = run_evaluate(options, common_, context_);
  EXPECT_EQ(parts.accuracy.confusion, whole.accuracy.confusion);
  EXPECT_NEAR(parts.accuracy.ece, whole.accuracy.ece, 1e-5);
}

TEST_F(EvaluateTest, ClassesAreMatchedByNameWhateverTheirOrder) {
  // A generated set that numbers and names its classes in another way.
  write_file_atomically(
      root() / "images" / "metadata.jsonl",
      "{\"file_name\": \"red_top/00000.png\", \"class\": \"red top\", \"label\": 0}\n"
      "{\"file_name\": \"green_bag/00000.png\", \"class\": \"green bag\", \"label\": 1}\n"
      "{\"file_name\": \"blue_coat/00000.png\", \"class\": \"blue coat\", \"label\": 2}\n");
  TrainOptions options = both();
  options.real.clear();
  options.shots = 0;
  options.steps = 60;
  train(options, "classifier");
  const EvaluateResult result = evaluate("classifier", "out");
  EXPECT_GT(result.accuracy.top1, 0.9);
  EXPECT_EQ(result.class_names, (std::vector<std::string>{"blue coat", "green bag", "red top"}));
}

TEST_F(EvaluateTest, CompleteMetricsAreReadAndOtherSettingsRefused) {
  const EvaluateResult first = evaluate("", "out");
  EXPECT_FALSE(first.skipped);
  const EvaluateResult again = evaluate("", "out");
  EXPECT_TRUE(again.skipped);
  EXPECT_EQ(again.accuracy.confusion, first.accuracy.confusion);
  EXPECT_EQ(again.class_names, first.class_names);
  fs::remove(root() / "out" / "predictions.csv");
  EXPECT_FALSE(evaluate("", "out").skipped) << "they are asked for";
  EXPECT_TRUE(fs::exists(root() / "out" / "predictions.csv"));
  train(both(), "classifier");
  EXPECT_NE(error_of(ErrorKind::kUsage, [&] { evaluate("classifier", "out"); }), "");
  common_.force = true;
  EXPECT_FALSE(evaluate("classifier", "out").skipped);
}

TEST_F(EvaluateTest, WrongInputIsNamedAndNothingIsWritten) {
  const auto refuse = [this](const std::string& classifier, const std::string& word) {
    const std::string text = error_of(ErrorKind::kInput, [&] { evaluate(classifier, "out"); });
    EXPECT_NE(text.find(word), std::string::npos) << text;
    EXPECT_FALSE(fs::exists(root() / "out"));
  };
  refuse("nowhere", "no complete classifier");
  train(both(), "classifier");
  const fs::path picture = root() / "photos" / "test" / "green_bag" / "00002.png";
  const std::string bytes = read_file(picture);
  write_file_atomically(picture, bytes.substr(0, bytes.size() / 2));
  refuse("classifier", "00002.png");
  test::write_colour_set(root() / "photos" / "test", 1, 5, {{"hat", {9, 9, 9}}});
  refuse("classifier", "\"hat\"");
}

}  // namespace
}  // namespace dd::classify
