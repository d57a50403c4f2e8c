// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/leak_check.h"

#include "dd/core/files.h"
#include "support/classifier_case.h"

namespace dd::classify {
namespace {

namespace fs = std::filesystem;

class LeakCheckTest : public test::ClassifierCase {
 protected:
  void copy(const std::string& from, const std::string& to) const {
    write_file_atomically(root() / to, read_file(root() / from));
  }
  TrainOptions short_training() const {
    TrainOptions options = both();
    options.steps = 2;
    options.shots = 0;
    return options;
  }
};

TEST_F(LeakCheckTest, AnImageOfTwoKindsStopsTheTraining) {
  copy("photos/train/red_top/00001.png", "images/red_top/99999.png");
  const std::string error = error_of(ErrorKind::kInput, [&] { train(short_training(), "out"); });
  EXPECT_NE(error.find("few-shot train/red_top/00001.png"), std::string::npos) << error;
  EXPECT_NE(error.find("synthetic red_top/99999.png"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(root() / "out"));
}

TEST_F(LeakCheckTest, ValidationImagesAreComparedToo) {
  copy("photos/val/red_top/00001.png", "photos/train/red_top/99999.png");
  TrainOptions options = short_training();
  options.val = photos();
  const std::string error = error_of(ErrorKind::kInput, [&] { train(options, "out"); });
  EXPECT_NE(error.find("validation val/red_top/00001.png"), std::string::npos) << error;
  options.val.clear();
  train(options, "out");
  EXPECT_TRUE(fs::exists(root() / "out" / kTrainingImages));
}

TEST_F(LeakCheckTest, ATestImageThatWasTrainedOnIsRefused) {
  copy("photos/test/red_top/00002.png", "photos/train/red_top/99999.png");
  train(short_training(), "out");
  const std::string error = error_of(ErrorKind::kInput, [&] { evaluate("out", "score"); });
  EXPECT_NE(error.find("test test/red_top/00002.png"), std::string::npos) << error;
  EXPECT_NE(error.find("training (few-shot) train/red_top/99999.png"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(root() / "score"));
  EXPECT_EQ(evaluate("", "zero-shot").accuracy.n, 21);
  // Accuracy on the images trained on is worth a look, and is not called a test.
  EvaluateOptions options;
  options.clip = test::oracle_path("models/clip");
  options.classifier = root() / "out";
  options.data = photos();
  options.split = "train";
  common_.out = root() / "on-train";
  EXPECT_EQ(run_evaluate(options, common_, context_).accuracy.n, 16);
  fs::remove(root() / "photos" / "test" / "red_top" / "00002.png");
  EXPECT_EQ(evaluate("out", "score").accuracy.n, 20);
}

TEST_F(LeakCheckTest, ShotsDoNotComeFromTest) {
  TrainOptions options = short_training();
  options.split = "test";
  const std::string error = error_of(ErrorKind::kUsage, [&] { train(options, "out"); });
  EXPECT_NE(error.find("--split is test"), std::string::npos) << error;
}

}  // namespace
}  // namespace dd::classify
