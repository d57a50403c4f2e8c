// SPDX-License-Identifier: Apache-2.0
#include "dd/data/leak_guard.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/data/fashion_mnist.h"
#include "dd/data/shots.h"
#include "dd/data/subset.h"
#include "dd/image/resize.h"
#include "dd/image/write.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

using dd::PrintSet;
using dd::test::expect_input_error;
using dd::test::input_error;

/// Keeps the warnings.
class Warnings final : public dd::Reporter {
 public:
  void info(const std::string&) override {}
  void warn(const std::string& text) override { texts.push_back(text); }
  void progress(const std::string&, std::int64_t, std::int64_t, const std::string&) override {}
  std::vector<std::string> texts;
};

/// Broad patches of light and shade, as photos have them; a picture of its own for each seed.
dd::Image photo(std::uint64_t seed, int size = 96) {
  return dd::resize(dd::test::noise_picture(seed, 6, 6), size, size, dd::ResizeFilter::kBilinear);
}

dd::ImagePrint print(const dd::Image& image, const std::string& id = "x") {
  return dd::make_print(id, dd::sha256_of(dd::encode_png(image)), dd::make_thumb(image));
}

TEST(ImagePrint, KnowsAPictureAgain) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const dd::Image original = photo(seed);
    dd::Image darker = original;
    for (std::uint8_t& level : darker.rgb) level = static_cast<std::uint8_t>(level / 8 * 7);
    const dd::Image jpeg = dd::decode_image(dd::test::jpeg_bytes(original), "x");
    EXPECT_TRUE(dd::nearly_equal(print(original), print(dd::resize(original, 40, 40)))) << seed;
    EXPECT_TRUE(dd::nearly_equal(print(original), print(jpeg))) << seed;
    EXPECT_FALSE(dd::nearly_equal(print(original), print(photo(seed + 100)))) << seed;
    EXPECT_FALSE(dd::nearly_equal(print(original), print(dd::flip_horizontal(original)))) << seed;
  }
}

TEST(ImagePrint, NoiseInEvenAreasSetsNoBits) {
  dd::Image even = dd::make_image(64, 64, 100);
  for (std::size_t i = 0; i < even.rgb.size(); i += 7) even.rgb[i] += 2;
  EXPECT_EQ(dd::difference_hash(dd::make_thumb(even)), 0U);
}

TEST(ImagePrint, ThumbsAreTextAndBack) {
  const dd::Thumb thumb = dd::make_thumb(photo(4));
  EXPECT_EQ(dd::parse_thumb(dd::thumb_text(thumb), "f"), thumb);
  expect_input_error(input_error([] { dd::parse_thumb("0a", "f, line 3"); }), "f, line 3");
  expect_input_error(input_error([] { dd::parse_thumb(std::string(144, 'g'), "f"); }), "\"g\"");
}

TEST(LeakGuard, FindsEqualAndNearPairsBetweenRolesOnly) {
  const dd::Image a = photo(1);
  const std::vector<PrintSet> sets{
      {"few-shot", {print(a, "s1"), print(a, "s2"), print(photo(2), "s3")}},
      {"validation", {print(dd::resize(photo(2), 50, 50), "v1")}},
      {"test", {print(photo(3), "t1"), print(a, "t2")}}};
  const dd::LeakReport report = dd::find_leaks(sets);
  EXPECT_EQ(report.equal, 2);
  EXPECT_EQ(report.near, 1);
  ASSERT_EQ(report.near_pairs.size(), 1U);
  EXPECT_EQ(report.near_pairs[0].text(), "few-shot s3 and validation v1");
  EXPECT_TRUE(report.equal_pairs[0].text() == "few-shot s1 and test t2" ||
              report.equal_pairs[0].text() == "few-shot s2 and test t2");
}

TEST(LeakGuard, RefusesEqualImagesAndWarnsOfNearOnes) {
  Warnings report;
  const dd::Context context{report, dd::never_stopped()};
  const dd::Image a = photo(1);
  std::vector<PrintSet> sets{{"few-shot", {print(a, "train/1.png")}},
                             {"test", {print(dd::resize(a, 60, 60), "test/9.png")}}};
  dd::check_leaks(sets, context);
  ASSERT_EQ(report.texts.size(), 1U);
  EXPECT_NE(report.texts[0].find("train/1.png and test test/9.png"), std::string::npos);
  sets[1].prints = {print(a, "test/9.png")};
  const std::string error = input_error([&] { dd::check_leaks(sets, context); });
  expect_input_error(error, "few-shot train/1.png and test test/9.png");
  expect_input_error(error, "take them out");
  EXPECT_EQ(report.texts.size(), 1U);
  EXPECT_NO_THROW(dd::check_leaks(sets, context, dd::LeakAction::kWarn));
  EXPECT_EQ(report.texts.size(), 2U);
  sets[1].prints.clear();
  EXPECT_NO_THROW(dd::check_leaks(sets, context));
}

TEST(LeakGuard, PrintsAreKeptInAFile) {
  const dd::test::TemporaryFolder folder;
  const auto file = folder.path() / "prints.jsonl";
  const std::vector<PrintSet> sets{{"few-shot", {print(photo(1), "a\"b"), print(photo(2), "c")}},
                                   {"synthetic", {print(photo(3), "d")}}};
  dd::write_prints(file, sets);
  const std::vector<PrintSet> again = dd::read_prints(file);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].role, "few-shot");
  ASSERT_EQ(again[0].prints.size(), 2U);
  EXPECT_EQ(again[0].prints[0].id, "a\"b");
  EXPECT_EQ(again[0].prints[0].sha256, sets[0].prints[0].sha256);
  EXPECT_EQ(again[1].prints[0].hash, sets[1].prints[0].hash);
  dd::write_file_atomically(file, "{\"role\": \"test\", \"id\": \"x\", \"sha256\": \"0\"}\n");
  expect_input_error(input_error([&] { dd::read_prints(file); }), "line 1: \"thumb\" is missing");
  dd::write_file_atomically(file, "\n[]\n");
  expect_input_error(input_error([&] { dd::read_prints(file); }), "line 2");
}

// Small grey pictures on black are alike; a warning for each pair would be worth nothing.
TEST(LeakGuard, DoesNotCryWolfOnFashionMnist) {
  const std::filesystem::path root = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const std::shared_ptr<const dd::Dataset> train = dd::open_fashion_mnist(root, "train");
  const auto shots = dd::make_subset(train, dd::draw_shots(*train, 16, 0));
  dd::NullReporter report;
  const dd::CancelToken cancel;
  const dd::Context context{report, cancel};
  const std::vector<PrintSet> sets{
      {"few-shot", dd::print_images(*shots, 2, context)},
      {"test", dd::print_images(*dd::open_fashion_mnist(root, "test"), 2, context)}};
  const dd::LeakReport leaks = dd::find_leaks(sets);
  EXPECT_EQ(leaks.equal, 0);
  EXPECT_EQ(leaks.near, 0);
}

}  // namespace
