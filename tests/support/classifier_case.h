// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "dd/classify/evaluate.h"
#include "dd/classify/train.h"
#include "dd/core/error.h"
#include "support/colour_set.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::test {

/// The tiny CLIP of tests/oracle, colours as classes: ROOT/images is a synthetic set, ROOT/photos a
/// real one with splits.
class ClassifierCase : public testing::Test {
 protected:
  ClassifierCase() {
    write_colour_set(root() / "images", 6, 1);
    write_colour_set(root() / "photos" / "train", 5, 2);
    write_colour_set(root() / "photos" / "val", 4, 3);
    write_colour_set(root() / "photos" / "test", 7, 4);
    common_.device = "cpu";
    common_.dtype = "f32";
    common_.threads = 1;
  }

  std::filesystem::path root() const { return folder_.path(); }
  std::string photos() const { return (root() / "photos").string(); }

  /// Twelve steps on both kinds.
  classify::TrainOptions both() const {
    classify::TrainOptions options;
    options.clip = oracle_path("models/clip");
    options.synthetic = root() / "images";
    options.real = photos();
    options.shots = 3;
    options.rank = 4;
    options.steps = 12;
    options.batch = 6;
    options.optimizer.learning_rate = 0.01;
    options.optimizer.warmup = 2;
    return options;
  }
  classify::TrainClassifierResult train(const classify::TrainOptions& options,
                                        const std::string& out) {
    common_.out = root() / out;
    return classify::run_train(options, common_, context_);
  }
  classify::EvaluateResult evaluate(const std::string& classifier, const std::string& out) {
    classify::EvaluateOptions options;
    options.clip = oracle_path("models/clip");
    if (!classifier.empty()) options.classifier = root() / classifier;
    options.data = photos();
    common_.out = root() / out;
    return classify::run_evaluate(options, common_, context_);
  }
  /// The text of the error of this kind that `work` throws; empty without one.
  static std::string error_of(ErrorKind kind, const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "";
  }

  CommonOptions common_;
  NullReporter reporter_;
  CancelToken cancel_;
  Context context_{reporter_, cancel_};

 private:
  const TemporaryFolder folder_;
};

}  // namespace dd::test
