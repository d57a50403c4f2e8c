// SPDX-License-Identifier: Apache-2.0
// The same command gives the same bytes on a CPU, and what should not matter does not: the size of
// batches, and, within rounding, the number of threads. That a resumed run gives the same bytes is
// in kill_test.cpp.
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/io/safetensors.h"
#include "support/datadream.h"
#include "support/same_picture.h"
#include "support/stage_cases.h"

namespace {

namespace fs = std::filesystem;
using dd::test::datadream;
using dd::test::ProcessResult;
using dd::test::Words;

class Determinism : public testing::Test {
 protected:
  void run(const Words& words, const std::string& out, const std::string& threads = "1") const {
    const ProcessResult result =
        datadream(dd::test::StageCases::complete(words, cases_.path(out), threads));
    ASSERT_EQ(result.status, 0) << words.front() << ": " << result.err;
  }
  std::map<std::string, std::string> results(const std::string& out) const {
    return dd::test::StageCases::results_in(cases_.path(out));
  }

  /// Images that are in both folders under one name, or more than `most` levels apart somewhere.
  void expect_close_images(const std::string& a, const std::string& b, int most) const {
    int images = 0;
    for (const auto& entry : fs::recursive_directory_iterator(cases_.path(a))) {
      if (entry.path().extension() != ".png") continue;
      ++images;
      const fs::path name = fs::relative(entry.path(), cases_.path(a));
      const dd::Image one = dd::read_image(entry.path());
      const dd::Image other = dd::read_image(fs::path(cases_.path(b)) / name);
      EXPECT_LE(dd::test::largest_difference(one, other), most) << name;
    }
    EXPECT_EQ(images, 12);
  }

  /// The mean gap between tensors of one name, as a part of the largest number there. Not the
  /// largest gap: AdamW's first steps are as long where a gradient is nothing but rounding.
  void expect_close_tensors(const fs::path& a, const fs::path& b, double most) const {
    const dd::io::SafetensorsFile one(a);
    const dd::io::SafetensorsFile other(b);
    ASSERT_FALSE(one.entries().empty());
    for (const auto& entry : one.entries()) {
      const at::Tensor gap = at::abs(at::sub(one.tensor(entry.name), other.tensor(entry.name)));
      const double scale = at::max(at::abs(one.tensor(entry.name))).item<double>();
      EXPECT_LE(at::mean(gap).item<double>(), most * std::max(scale, 1e-6)) << entry.name;
    }
  }

  /// What `evaluate` or `align` found, in the words of this name's stage.
  void expect_close_figures(const std::string& a, const std::string& b) const {
    const dd::Json first = dd::read_json(fs::path(cases_.path(a)) / "metrics.json");
    const dd::Json second = dd::read_json(fs::path(cases_.path(b)) / "metrics.json");
    const std::vector<std::string> figures =
        a.starts_with("align")
            ? std::vector<std::string>{"fid",    "kid",     "cmmd",    "precision",
                                       "recall", "density", "coverage"}
            : std::vector<std::string>{"top1", "top5", "ece", "nll"};
    for (const std::string& figure : figures) {
      const auto value = first.at(figure).get<double>();
      EXPECT_NEAR(second.at(figure).get<double>(), value, 1e-4 * std::max(1.0, std::abs(value)))
          << b << ": " << figure;
    }
  }

  /// The scores in predictions.csv: behind file, label and prediction, one of each class.
  std::vector<float> scores(const std::string& out) const {
    std::istringstream table(dd::read_file(fs::path(cases_.path(out)) / "predictions.csv"));
    std::vector<float> values;
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream cells(line);
      std::string cell;
      for (int i = 0; std::getline(cells, cell, ','); ++i) {
        if (i >= 3) values.push_back(std::strtof(cell.c_str(), nullptr));
      }
    }
    return values;
  }

  dd::test::StageCases cases_;
};

TEST_F(Determinism, TheSameCommandGivesTheSameBytes) {
  for (const char* threads : {"1", "2"}) {
    for (const std::string& stage : dd::test::StageCases::stages()) {
      const std::string out = stage + threads;
      run(cases_.words(stage), out + "-a", threads);
      run(cases_.words(stage), out + "-b", threads);
      const auto first = results(out + "-a");
      EXPECT_FALSE(first.empty()) << out;
      EXPECT_EQ(first, results(out + "-b")) << out;
    }
  }
}

TEST_F(Determinism, AnotherSeedGivesOtherBytes) {
  run(cases_.words("generate"), "a");
  Words other = cases_.words("generate");
  other.insert(other.end(), {"--seed", "1"});
  run(other, "b");
  EXPECT_NE(results("a"), results("b"));
}

TEST_F(Determinism, ImagesDoNotDependOnTheBatch) {
  for (const char* batch : {"1", "3", "12"}) {
    Words words = cases_.words("generate");
    words.insert(words.end(), {"--batch", batch});
    run(words, std::string("batch-") + batch);
  }
  expect_close_images("batch-1", "batch-3", 1);
  expect_close_images("batch-1", "batch-12", 1);
}

// As a kill within a batch leaves it. Images that are drawn together share their rounding.
TEST_F(Determinism, ImagesDoNotDependOnWhatIsThereAlready) {
  for (const char* batch : {"8", "12"}) {
    const std::string out = std::string("batch-") + batch;
    Words words = cases_.words("generate");
    words.insert(words.end(), {"--batch", batch});
    run(words, out);
    const auto whole = results(out);
    for (const int kept : {5, 11}) {
      int number = 0;
      for (const auto& [name, bytes] : whole) {
        if (name.ends_with(".png") && ++number > kept)
          fs::remove(fs::path(cases_.path(out)) / name);
      }
      ASSERT_EQ(number, 12);
      run(words, out);
      EXPECT_EQ(results(out), whole) << batch << " a batch, " << kept << " kept";
    }
  }
}

TEST_F(Determinism, ScoresAndFeaturesDoNotDependOnTheBatch) {
  for (const char* batch : {"1", "5"}) {
    for (const char* stage : {"evaluate", "align"}) {
      Words words = cases_.words(stage);
      words.insert(words.end(), {"--batch", batch});
      run(words, std::string(stage) + batch);
    }
  }
  expect_close_figures("evaluate1", "evaluate5");
  expect_close_figures("align1", "align5");
  const std::vector<float> one = scores("evaluate1");
  const std::vector<float> five = scores("evaluate5");
  ASSERT_EQ(one.size(), five.size());
  ASSERT_GE(one.size(), 3U * 3U);
  // Cosines times the temperature, of 100 in CLIP.
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], five[i], 1e-3) << i;
}

// Sums are taken in another order by another number of threads.
TEST_F(Determinism, TwoThreadsGiveTheSameWithinRounding) {
  for (const char* threads : {"1", "2"}) {
    for (const char* stage : {"generate", "adapt", "train"})
      run(cases_.words(stage), std::string(stage) + threads, threads);
  }
  expect_close_images("generate1", "generate2", 1);
  for (const auto& item : dd::test::colour_classes()) {
    const std::string file = "/" + item.folder + "/pytorch_lora_weights.safetensors";
    expect_close_tensors(cases_.path("adapt1") + file, cases_.path("adapt2") + file, 1e-3);
  }
  expect_close_tensors(cases_.path("train1/adapter_model.safetensors"),
                       cases_.path("train2/adapter_model.safetensors"), 1e-3);
}

TEST_F(Determinism, TwoThreadsGiveTheSameFigures) {
  for (const char* threads : {"1", "2"}) {
    for (const char* stage : {"evaluate", "align"})
      run(cases_.words(stage), std::string(stage) + threads, threads);
  }
  expect_close_figures("evaluate1", "evaluate2");
  expect_close_figures("align1", "align2");
}

}  // namespace
