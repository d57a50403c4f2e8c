// SPDX-License-Identifier: Apache-2.0
#include "dd/data/check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "dd/core/files.h"
#include "dd/image/write.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

using dd::test::expect_input_error;
using dd::test::input_error;

class CheckTest : public testing::Test {
 protected:
  const std::filesystem::path& root() const { return folder_.path(); }
  void picture(const std::string& path, std::uint64_t seed) const {
    dd::write_png(root() / path, dd::test::noise_picture(seed));
  }
  dd::CheckReport check(dd::CheckOptions options = {}) {
    if (options.data.empty()) options.data = root().string();
    return dd::check_dataset(options, 2, {report_, cancel_});
  }

 private:
  const dd::test::TemporaryFolder folder_;
  dd::NullReporter report_;
  dd::CancelToken cancel_;
};

TEST_F(CheckTest, CountsClassesAndSplits) {
  for (int i = 0; i < 3; ++i) picture(dd::cat("train/cat/", i, ".png"), 10 + i);
  picture("train/dog/1.png", 20);
  picture("test/cat/1.png", 30);
  picture("test/dog/1.png", 31);
  const dd::CheckReport report = check();
  EXPECT_TRUE(report.problems().empty());
  ASSERT_EQ(report.splits.size(), 2U);
  EXPECT_EQ(report.splits[0].by_class, (std::vector<std::int64_t>{3, 1}));
  ASSERT_EQ(report.absent.size(), 1U);
  EXPECT_NE(report.absent[0].find("no val split"), std::string::npos);
  EXPECT_TRUE(report.duplicates.empty());
  const dd::Json json = dd::check_json(report);
  EXPECT_EQ(json.at("splits").at("train").at("by_class").at("cat"), 3);
  EXPECT_EQ(json.at("usable"), true);
  EXPECT_NE(dd::check_text(report).find("cat           3         1"), std::string::npos)
      << dd::check_text(report);
}

TEST_F(CheckTest, NamesDamagedImagesByDecodingThem) {
  picture("cat/1.png", 1);
  picture("cat/2.png", 2);
  const std::string whole = dd::read_file(root() / "cat" / "2.png");
  dd::write_file_atomically(root() / "cat" / "2.png", whole.substr(0, whole.size() - 40));
  const dd::CheckReport report = check();
  ASSERT_EQ(report.damaged.size(), 1U);
  EXPECT_EQ(report.damaged[0].id, "cat/2.png");
  ASSERT_EQ(report.problems().size(), 1U);
  EXPECT_NE(report.problems()[0].find("cat/2.png"), std::string::npos);
  dd::CheckOptions quick;
  quick.quick = true;
  EXPECT_TRUE(check(quick).damaged.empty());
  dd::write_file_atomically(root() / "cat" / "2.png", "no picture");
  EXPECT_EQ(check(quick).damaged.size(), 1U);
}

TEST_F(CheckTest, NamesBrokenLinksAndPipes) {
  for (int i = 0; i < 2; ++i) picture(dd::cat("cat/", i, ".png"), 10 + i);
  std::filesystem::create_symlink("/gone/2.png", root() / "cat/2.png");
  ASSERT_EQ(::mkfifo((root() / "cat/3.png").c_str(), 0600), 0);
  dd::CheckOptions options;
  for (const bool quick : {false, true}) {
    options.quick = quick;
    const dd::CheckReport report = check(options);
    EXPECT_EQ(report.splits.at(0).images, 4);
    ASSERT_EQ(report.missing.size(), 1U);
    EXPECT_EQ(report.missing[0].id, "cat/2.png");
    expect_input_error(report.missing[0].problem, "to /gone/2.png: it leads nowhere; mount");
    ASSERT_EQ(report.damaged.size(), 1U);
    expect_input_error(report.damaged[0].problem, "cat/3.png: it is a pipe");
    EXPECT_EQ(report.problems().size(), 2U);
  }
}

TEST_F(CheckTest, FindsEqualContentsAcrossSplitsAndClasses) {
  picture("train/cat/1.png", 1);
  picture("train/cat/2.png", 1);  // within a class and split: no harm
  picture("train/dog/1.png", 2);
  picture("train/dog/2.png", 1);
  picture("test/cat/1.png", 3);
  picture("test/dog/1.png", 2);
  const dd::CheckReport report = check();
  ASSERT_EQ(report.duplicates.size(), 2U);
  EXPECT_EQ(report.duplicates[0].other_id, "train/dog/2.png");
  EXPECT_FALSE(report.duplicates[0].same_class);
  EXPECT_EQ(report.duplicates[1].id, "train/dog/1.png");
  EXPECT_EQ(report.duplicates[1].other_split, "test");
  EXPECT_TRUE(report.problems().empty());
  EXPECT_NE(dd::check_text(report).find("train train/dog/1.png = test test/dog/1.png"),
            std::string::npos);
}

TEST_F(CheckTest, SaysWhatAnOfficialSetLacks) {
  dd::test::write_jpeg(root() / "images/banded/banded_1.jpg");
  dd::write_file_atomically(root() / "labels/train1.txt",
                            "banded/banded_1.jpg\nbanded/banded_2.jpg\nzigzagged/z.jpg\n");
  dd::write_file_atomically(root() / "labels/val1.txt", "");
  dd::write_file_atomically(root() / "labels/test1.txt", "");
  dd::CheckOptions options;
  options.data = "dtd:" + root().string();
  const dd::CheckReport report = check(options);
  ASSERT_EQ(report.missing.size(), 2U);
  EXPECT_EQ(report.missing[0].id, "images/banded/banded_2.jpg");
  EXPECT_EQ(report.missing_classes.size(), 45U);
  EXPECT_EQ(report.official_images, 5640);
  EXPECT_EQ(report.problems().size(), 1U);
  std::filesystem::remove(root() / "labels/val1.txt");
  expect_input_error(input_error([&] { check(options); }), "val1.txt");
}

TEST_F(CheckTest, OneSplitAlone) {
  picture("train/cat/1.png", 1);
  picture("test/cat/1.png", 1);
  dd::CheckOptions options;
  options.split = "test";
  const dd::CheckReport report = check(options);
  ASSERT_EQ(report.splits.size(), 1U);
  EXPECT_TRUE(report.duplicates.empty());
  options.split = "val";
  expect_input_error(input_error([&] { check(options); }), "no val split");
}

}  // namespace
