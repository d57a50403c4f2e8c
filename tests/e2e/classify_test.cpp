// SPDX-License-Identifier: Apache-2.0
// train and evaluate, as a user calls them.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "dd/core/files.h"
#include "dd/core/json.h"
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

TEST_F(Classify, AStoppedTrainingGoesOnAsIfItHadNotBeen) {
  const Flags longer{{"--steps", "400"}};
  ASSERT_EQ(train("whole", longer).status, 0);
  const ProcessResult stopped =
      train("parts", longer,
            {.signal = SIGINT, .signal_after_text = "train classifier ", .environment = {}});
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_FALSE(fs::exists(root() / "parts" / "classifier.json"));
  const ProcessResult resumed = train("parts", longer);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("resumed at step"), std::string::npos) << resumed.err;
  const std::string file = "adapter_model.safetensors";
  EXPECT_EQ(dd::read_file(root() / "parts" / file), dd::read_file(root() / "whole" / file));
}

TEST_F(Classify, WrongInputGetsOneLineAndLeavesNothing) {
  expect_refused(train("out", {{"--shots", "6"}}), "has 5 images", "out");
  expect_refused(train("out", {{"--synthetic", path("nowhere")}}), "nowhere", "out");
  expect_refused(train("out", {{"--lambda", "2"}}), "--lambda", "out");
  expect_refused(train("out", {{"--val", path("photos")}, {"--val-split", "test"}}), "test images",
                 "out");
  expect_refused(evaluate("out", {{"--classifier", path("images")}}), "no complete classifier",
                 "out");
  expect_refused(evaluate("out", {{"--data", path("nowhere")}}), "nowhere", "out");
  dd::write_file_atomically(root() / "photos" / "test" / "red_top" / "00001.png", "no picture");
  expect_refused(evaluate("out"), "00001.png", "out");
}

}  // namespace
