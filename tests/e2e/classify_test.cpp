// SPDX-License-Identifier: Apache-2.0
// train and evaluate, as a user calls them.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/io/safetensors.h"
#include "support/colour_set.h"
#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::is_one_error_line;
using dd::test::ProcessResult;

class Classify : public testing::Test {
 protected:
  Classify() {
    dd::test::write_colour_set(root() / "images", 6, 1);
    dd::test::write_colour_set(root() / "photos" / "train", 5, 2);
    dd::test::write_colour_set(root() / "photos" / "test", 7, 4);
  }
  fs::path root() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (root() / name).string(); }

  using Flags = std::map<std::string, std::string>;

  /// The flags of a short training, of which `other` replaces or adds some.
  ProcessResult train(const std::string& out, Flags other = {},
                      const dd::test::ProcessOptions& process = {}) const {
    other.merge(Flags{{"--synthetic", path("images")},
                      {"--real", path("photos")},
                      {"--shots", "3"},
                      {"--batch", "6"},
                      {"--steps", "40"},
                      {"--lr", "0.01"},
                      {"--rank", "4"}});
    return run("train", out, std::move(other), process);
  }
  ProcessResult evaluate(const std::string& out, Flags other = {}) const {
    other.merge(Flags{{"--data", path("photos")}});
    return run("evaluate", out, std::move(other), {});
  }
  ProcessResult run(const std::string& command, const std::string& out, Flags flags,
                    const dd::test::ProcessOptions& process) const {
    flags.merge(
        Flags{{"--clip", kClip}, {"--device", "cpu"}, {"--threads", "1"}, {"--out", path(out)}});
    std::vector<std::string> words{command, "--verbose"};
    for (const auto& [flag, value] : flags) {
      words.push_back(flag);
      words.push_back(value);
    }
    return datadream(words, process);
  }
  void expect_refused(const ProcessResult& result, const std::string& word,
                      const std::string& out) const {
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    // Progress may stand before the error.
    const std::size_t start = result.err.find("datadream: error: ");
    ASSERT_NE(start, std::string::npos) << result.err;
    EXPECT_TRUE(is_one_error_line(result.err.substr(start))) << result.err;
    EXPECT_NE(result.err.find(word, start), std::string::npos) << result.err;
    EXPECT_FALSE(fs::exists(root() / out));
  }

  /// A row of predictions.csv whose file name begins with the place of its scores, at scale 100.
  static void expect_scores(const std::string& row, const at::Tensor& theirs) {
    std::vector<std::string> cells;
    std::istringstream text(row);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 3 + static_cast<std::size_t>(theirs.size(1))) << row;
    const at::Tensor scores = theirs[std::stol(fs::path(cells[0]).filename().string())];
    EXPECT_EQ(std::stol(cells[2]), scores.argmax().item<std::int64_t>()) << row;
    const double to_scale_100 = 100 / std::exp(2.6592);
    for (std::int64_t c = 0; c < theirs.size(1); ++c) {
      EXPECT_NEAR(std::stod(cells[static_cast<std::size_t>(3 + c)]) * to_scale_100,
                  scores[c].item<double>(), 0.05)
          << row;
    }
  }

  const std::string kClip = (fs::path(DD_SOURCE_DIR) / "tests/oracle/models/clip").string();

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(Classify, TrainsAClassifierThatBeatsZeroShot) {
  const ProcessResult trained = train("classifier");
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.out.find("9 real and 18 synthetic images"), std::string::npos) << trained.out;
  ASSERT_EQ(evaluate("zero").status, 0);
  const ProcessResult scored = evaluate("scored", {{"--classifier", path("classifier")}});
  ASSERT_EQ(scored.status, 0) << scored.err;
  EXPECT_TRUE(scored.out.starts_with("top1 ")) << scored.out;
  const double before = dd::read_json(root() / "zero" / "metrics.json").at("top1").get<double>();
  const double after = dd::read_json(root() / "scored" / "metrics.json").at("top1").get<double>();
  EXPECT_GT(after, 0.9);
  EXPECT_GT(after, before);
  EXPECT_TRUE(fs::exists(root() / "scored" / "predictions.csv"));
}

/// Pictures of every kind, scored by the program as transformers scores them.
TEST_F(Classify, PredictionsAreTransformersForPicturesOfEveryKind) {
  const fs::path oracle = fs::path(DD_SOURCE_DIR) / "tests/oracle";
  const dd::Json index = dd::read_json(oracle / "clip/index.json");
  const auto classes = index.at("classes").get<std::vector<std::string>>();
  for (std::size_t i = 0; i < index.at("images").size(); ++i) {
    const fs::path image = index.at("images").at(i).get<std::string>();
    std::string folder = classes[i % classes.size()];
    std::replace(folder.begin(), folder.end(), ' ', '_');
    fs::create_directories(root() / "kinds" / folder);
    const bool own = image.begin()->string() == "images";
    fs::copy_file(oracle / (own ? "clip" : "") / image,
                  root() / "kinds" / folder / dd::cat(i, "-", image.filename().string()));
  }
  const dd::io::SafetensorsFile expected(oracle / "clip/expected.safetensors");
  for (const std::string reading : {"seen", "transformers", "transformers-5"}) {
    const ProcessResult scored = evaluate(
        reading, {{"--data", path("kinds")}, {"--split", "train"}, {"--reading", reading}});
    ASSERT_EQ(scored.status, 0) << scored.err;
    const at::Tensor theirs = expected.tensor("scores." + reading);
    std::istringstream rows(dd::read_file(root() / reading / "predictions.csv"));
    std::string row;
    std::getline(rows, row);
    std::size_t count = 0;
    for (; std::getline(rows, row); ++count) expect_scores(row, theirs);
    EXPECT_EQ(count, index.at("images").size());
  }
}

TEST_F(Classify, OneFileNeedsATokenizerBesideOrNamed) {
  const std::string archive =
      (fs::path(DD_SOURCE_DIR) / "tests/oracle/clip/openai/ViT-tiny.pt").string();
  expect_refused(evaluate("out", {{"--clip", archive}}), "--tokenizer", "out");
  expect_refused(evaluate("out", {{"--clip", archive}, {"--tokenizer", path("nowhere")}}),
                 "nowhere", "out");
  const Flags named{{"--clip", archive}, {"--tokenizer", kClip + "/tokenizer/merges.txt"}};
  EXPECT_EQ(evaluate("named", named).status, 0);
  fs::create_directories(root() / "beside");
  fs::copy(kClip + "/tokenizer", root() / "beside" / "tokenizer", fs::copy_options::recursive);
  fs::copy_file(archive, root() / "beside" / "clip.pt");
  EXPECT_EQ(evaluate("beside-it", {{"--clip", path("beside/clip.pt")}}).status, 0);
  EXPECT_EQ(dd::read_file(root() / "named" / "predictions.csv"),
            dd::read_file(root() / "beside-it" / "predictions.csv"));
  Flags training = named;
  training["--steps"] = "4";
  EXPECT_EQ(train("classifier", training).status, 0);
}

TEST_F(Classify, AStoppedTrainingGoesOnAsIfItHadNotBeen) {
  const Flags longer{{"--steps", "400"},
                     {"--mix", "0.3"},
                     {"--rand-augment", "2"},
                     {"--dropout", "0.1"},
                     {"--label-smoothing", "0.1"}};
  ASSERT_EQ(train("whole", longer).status, 0);
  const ProcessResult stopped =
      train("parts", longer,
            {.signal = SIGINT, .signal_after_text = "train classifier ", .environment = {}});
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_FALSE(fs::exists(root() / "parts" / "classifier.json"));
  const ProcessResult resumed = train("parts", longer);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("resumed at step"), std::string::npos) << resumed.err;
  for (const std::string file : {"adapter_model.safetensors", "training_curve.csv"}) {
    EXPECT_EQ(dd::read_file(root() / "parts" / file), dd::read_file(root() / "whole" / file));
  }
}

TEST_F(Classify, WrongInputGetsOneLineAndLeavesNothing) {
  expect_refused(train("out", {{"--shots", "6"}}), "has 5 images", "out");
  expect_refused(train("out", {{"--synthetic", path("nowhere")}}), "nowhere", "out");
  expect_refused(train("out", {{"--lambda", "2"}}), "--lambda", "out");
  expect_refused(train("out", {{"--augment-preset", "paper"}, {"--hue", "0.2"}}), "--hue", "out");
  expect_refused(train("out", {{"--val", path("photos")}, {"--val-split", "test"}}), "test images",
                 "out");
  expect_refused(evaluate("out", {{"--classifier", path("images")}}), "no complete classifier",
                 "out");
  expect_refused(evaluate("out", {{"--data", path("nowhere")}}), "nowhere", "out");
  dd::write_file_atomically(root() / "photos" / "test" / "red_top" / "00001.png", "no picture");
  expect_refused(evaluate("out"), "00001.png", "out");
}

}  // namespace
