// SPDX-License-Identifier: Apache-2.0
#include "dd/align/align.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "dd/core/files.h"
#include "dd/data/dataset.h"
#include "dd/data/shots.h"
#include "dd/io/npy.h"
#include "dd/metrics/alignment.h"
#include "support/colour_set.h"
#include "support/oracle.h"
#include "support/temporary_folder.h"

namespace dd::align {
namespace {

namespace fs = std::filesystem;

/// Keeps what was warned of.
class Warnings final : public Reporter {
 public:
  void info(const std::string&) override {}
  void warn(const std::string& text) override { all += text + '\n'; }
  void progress(const std::string&, std::int64_t, std::int64_t, const std::string&) override {}

  std::string all;
};

/// Colours as classes: ROOT/photos is real, ROOT/images synthetic; CLIP is the oracle's tiny one.
class Align : public testing::Test {
 protected:
  Align() {
    test::write_colour_set(root() / "photos" / "train", 8, 1);
    test::write_colour_set(root() / "photos" / "test", 4, 2);
    test::write_colour_set(root() / "images", 7, 3);
    common_.device = "cpu";
    common_.dtype = "f32";
    common_.threads = 1;
  }

  fs::path root() const { return folder_.path(); }

  AlignOptions options() const {
    AlignOptions options;
    options.real = (root() / "photos").string();
    options.synthetic = root() / "images";
    options.clip = test::oracle_path("models/clip");
    options.kid_subsets = 5;
    options.bootstrap = 6;
    return options;
  }
  AlignResult run(const AlignOptions& options, const std::string& out) {
    common_.out = root() / out;
    return run_align(options, common_, context_);
  }
  std::string error_of(ErrorKind kind, const AlignOptions& options) {
    common_.out = root() / "refused";
    std::string text = "no error";
    try {
      run_align(options, common_, context_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      text = error.what();
    }
    EXPECT_FALSE(fs::exists(root() / "refused")) << text;
    return text;
  }
  static void expect_equal_figures(const Json& one, const Json& two, double tolerance) {
    for (const char* name : kAlignmentFigures) {
      if (one.at(name).is_null()) {
        EXPECT_TRUE(two.at(name).is_null()) << name;
        continue;
      }
      const double value = one.at(name);
      EXPECT_NEAR(value, two.at(name).get<double>(), tolerance * std::max(1.0, std::abs(value)))
          << name;
    }
  }

  CommonOptions common_;
  Warnings reporter_;
  CancelToken cancel_;
  Context context_{reporter_, cancel_};

 private:
  const test::TemporaryFolder folder_;
};

TEST_F(Align, MeasuresAllImagesAndEachClass) {
  const Json metrics = run(options(), "out").metrics;
  EXPECT_EQ(metrics, read_json(root() / "out" / "metrics.json"));
  EXPECT_EQ(metrics.at("n_real"), 24);
  EXPECT_EQ(metrics.at("n_synthetic"), 21);
  EXPECT_GT(metrics.at("fid").get<double>(), 0);
  EXPECT_TRUE(metrics.at("fid_infinity").is_null()) << "24 dimensions, 21 images";
  EXPECT_LT(metrics.at("intervals").at("kid").at(0), metrics.at("kid"));
  ASSERT_EQ(metrics.at("per_class").size(), 3u);
  for (const Json& measured : metrics.at("per_class")) {
    EXPECT_EQ(measured.at("n_real"), 8);
    EXPECT_EQ(measured.at("n_synthetic"), 7);
    EXPECT_GE(measured.at("precision").get<double>(), 0);
  }
  EXPECT_EQ(metrics.at("per_class").at(0).at("class"), "blue_coat");
  EXPECT_NE(reporter_.all.find("fid: 24 real and 21 synthetic"), std::string::npos)
      << reporter_.all;
  // Colours tell the classes apart, so a class is further from another than from itself.
  AlignOptions swapped = options();
  fs::create_directories(root() / "swapped");
  fs::rename(root() / "images" / "red_top", root() / "swapped" / "blue_coat");
  swapped.synthetic = root() / "swapped";
  EXPECT_GT(run(swapped, "swapped-out").metrics.at("fid"), metrics.at("per_class").at(0).at("fid"));
}

TEST_F(Align, FeaturesFromFilesGiveTheSameFigures) {
  const Json images = run(options(), "out").metrics;
  AlignOptions files = options();
  files.real.clear();
  files.synthetic.clear();
  files.real_features = root() / "out" / "real_features.npy";
  files.synthetic_features = root() / "out" / "synthetic_features.npy";
  files.real_labels = root() / "out" / "real_labels.npy";
  files.synthetic_labels = root() / "out" / "synthetic_labels.npy";
  files.unit_length = true;
  const Json same = run(files, "files").metrics;
  expect_equal_figures(images, same, 1e-12);
  expect_equal_figures(images.at("per_class").at(2), same.at("per_class").at(2), 1e-12);
  EXPECT_EQ(images.at("intervals"), same.at("intervals"));

  AlignOptions one = options();
  const at::Tensor both =
      at::cat({io::read_npy(files.real_features), io::read_npy(files.synthetic_features)});
  one.features = (root() / "both.npy").string();
  io::write_npy(one.features, both);
  one.unit_length = true;
  expect_equal_figures(images, run(one, "one").metrics, 1e-12);
  one.unit_length = false;
  one.per_class = 5;
  EXPECT_EQ(run(one, "fewer").metrics.at("n_real"), 15);
  EXPECT_NE(reporter_.all.find("--unit-length"), std::string::npos) << reporter_.all;
  io::write_npy(one.features, both.slice(0, 1));
  EXPECT_NE(error_of(ErrorKind::kInput, one).find("has 44 rows"), std::string::npos);
}

TEST_F(Align, BatchesAndThreadsChangeOnlyTheRounding) {
  const Json whole = run(options(), "whole").metrics;
  AlignOptions parts = options();
  parts.batch = 4;
  common_.threads = 3;
  const Json batched = run(parts, "parts").metrics;
  expect_equal_figures(whole, batched, 1e-4);
}

TEST_F(Align, ShotsAreLeftOutAndCopiesOfThemAreFound) {
  const auto data = open_dataset({"folder", root() / "photos"}, "train");
  ShotRecord record{.data = (root() / "photos").string(),
                    .split = "train",
                    .seed = 5,
                    .shots = 2,
                    .indices = draw_shots(*data, 2, 5)};
  write_shots(root() / "shots.json", *data, record);
  const std::string shot = data->id(record.indices.front());
  fs::copy_file(root() / "photos" / shot, root() / "images" / "green_bag" / "copy.png");
  AlignOptions with = options();
  with.shots_file = root() / "shots.json";
  with.copy_quantile = 1;
  const Json metrics = run(with, "out").metrics;
  EXPECT_EQ(metrics.at("n_real"), 18);
  const Json& copies = metrics.at("copies");
  EXPECT_EQ(copies.at("against"), "shots");
  EXPECT_EQ(copies.at("shots"), 6);
  EXPECT_GE(copies.at("flagged").get<int>(), 1);
  const std::string csv = read_file(root() / "out" / "nearest.csv");
  const std::size_t line = csv.find("green_bag/copy.png");
  ASSERT_NE(line, std::string::npos) << csv;
  const std::string row = csv.substr(line, csv.find('\n', line) - line);
  EXPECT_NE(row.find("," + shot + ",1.000000,1"), std::string::npos) << row;
  EXPECT_EQ(std::ranges::count(csv, '\n'), 1 + 22);
  // Shots of another split than the real images'.
  with.real_split = "test";
  EXPECT_EQ(run(with, "test-split").metrics.at("n_real"), 12);
}

TEST_F(Align, ClassesThatOneSideLacks) {
  AlignOptions fewer = options();
  fs::remove_all(root() / "images" / "red_top");
  const Json metrics = run(fewer, "fewer").metrics;
  EXPECT_EQ(metrics.at("n_real"), 16);
  EXPECT_EQ(metrics.at("per_class").size(), 2u);
  fs::rename(root() / "images" / "blue_coat", root() / "images" / "brown_coat");
  EXPECT_NE(error_of(ErrorKind::kInput, fewer).find("brown"), std::string::npos);
  fs::rename(root() / "images" / "green_bag", root() / "images" / "grey_bag");
  const Json whole = run(fewer, "whole").metrics;
  EXPECT_EQ(whole.at("n_real"), 24);
  EXPECT_TRUE(whole.at("per_class").empty());
  EXPECT_NE(reporter_.all.find("as a whole only"), std::string::npos) << reporter_.all;
}

TEST_F(Align, CompleteMetricsAreKeptAndOthersRefused) {
  EXPECT_FALSE(run(options(), "out").skipped);
  const AlignResult again = run(options(), "out");
  EXPECT_TRUE(again.skipped);
  EXPECT_NE(again.text.find("blue_coat"), std::string::npos) << again.text;
  AlignOptions other = options();
  other.bootstrap = 7;
  EXPECT_THROW(run(other, "out"), Error);
  common_.force = true;
  EXPECT_FALSE(run(other, "out").skipped);
  common_.force = false;
  common_.dry_run = true;
  EXPECT_NE(run(options(), "dry").text.find("24 real and 21 synthetic"), std::string::npos);
  EXPECT_FALSE(fs::exists(root() / "dry"));
}

TEST_F(Align, WrongInputIsNamed) {
  const auto refused = [&](ErrorKind kind, const auto& change, const std::string& word) {
    AlignOptions changed = options();
    change(changed);
    const std::string error = error_of(kind, changed);
    EXPECT_NE(error.find(word), std::string::npos) << error;
  };
  const auto usage = ErrorKind::kUsage;
  const auto input = ErrorKind::kInput;
  refused(
      usage, [](auto& o) { o.clip.clear(); }, "--clip is missing");
  refused(
      usage, [](auto& o) { o.features = "dinov2"; }, "--dinov2 is missing");
  refused(
      usage, [](auto& o) { o.features = "vgg"; }, "must be clip");
  refused(
      usage, [](auto& o) { o.synthetic.clear(); }, "nothing to compare");
  refused(
      usage, [](auto& o) { o.real_features = "a.npy"; }, "needs --synthetic-features");
  refused(
      usage, [](auto& o) { o.real_labels = "a.npy"; }, "describe feature files");
  refused(
      input, [](auto& o) { o.clip = "nowhere"; }, "no model at nowhere");
  refused(
      input, [](auto& o) { o.synthetic = "nowhere"; }, "nowhere");
  const auto file_with = [&](const char* name, const at::Tensor& rows) {
    io::write_npy(root() / name, rows);
    return root() / name;
  };
  const fs::path good = file_with("good.npy", at::full({4, 3}, 0.5, at::kFloat));
  const auto files = [&](const fs::path& real, const std::string& word) {
    refused(
        input,
        [&](auto& o) {
          o.real.clear();
          o.synthetic.clear();
          o.real_features = real;
          o.synthetic_features = good;
        },
        word);
  };
  files(file_with("nan.npy", at::full({4, 3}, std::nan(""), at::kFloat)), "NaN");
  files(file_with("wide.npy", at::full({4, 5}, 1.0, at::kFloat)), "has 5 columns");
  files(file_with("flat.npy", at::full({4}, 1.0, at::kFloat)), "rows of floating point");
  files(file_with("whole.npy", at::full({4, 3}, 1, at::kLong)), "rows of floating point");
  files(file_with("one.npy", at::full({1, 3}, 1.0, at::kFloat)), "has 1 rows");
  write_file_atomically(root() / "images" / "red_top" / "00001.png", "no picture");
  refused(
      input, [](auto&) {}, "00001.png");
}

}  // namespace
}  // namespace dd::align
