// SPDX-License-Identifier: Apache-2.0
#include "dd/data/dataset.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/data/subset.h"
#include "dd/image/write.h"
#include "support/temporary_folder.h"

namespace {

void expect_usage_error(const std::string& text, const std::string& part) {
  try {
    dd::parse_data_spec(text);
    FAIL() << text;
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(DataSpec, ReadsFoldersAndNames) {
  const dd::DataSpec named = dd::parse_data_spec("fashion-mnist:/data/f:m");
  EXPECT_EQ(named.kind, "fashion-mnist");
  EXPECT_EQ(named.root, "/data/f:m");
  EXPECT_EQ(named.text(), "fashion-mnist:/data/f:m");
  for (const char* folder : {"some/folder", "/data/with:colon"}) {
    EXPECT_EQ(dd::parse_data_spec(folder).kind, "folder");
    EXPECT_EQ(dd::parse_data_spec(folder).text(), folder);
  }
}

TEST(DataSpec, FaultsComeWithARemedy) {
  expect_usage_error("fashion-mnits:/data", "fashion-mnist:/data");
  expect_usage_error("fashion-mnist", "fashion-mnist:ROOT");
  expect_usage_error("fashion-mnist:", "fashion-mnist:ROOT");
  expect_usage_error("", "DIR");
}

TEST(Subset, ShowsTheChosenImages) {
  const dd::test::TemporaryFolder folder;
  for (int i = 0; i < 3; ++i) {
    const auto level = static_cast<std::uint8_t>(i);
    dd::write_png(folder.path() / "a" / dd::cat(i, ".png"), dd::make_image(2, 2, level));
    dd::write_png(folder.path() / "b" / dd::cat(i, ".png"), dd::make_image(2, 2, level));
  }
  const std::shared_ptr<const dd::Dataset> all =
      dd::open_dataset(dd::parse_data_spec(folder.path().string()), "all");
  const auto subset = dd::make_subset(all, {5, 1, 1});
  ASSERT_EQ(subset->size(), 3);
  EXPECT_EQ(subset->id(0), "b/2.png");
  EXPECT_EQ(subset->label(0), 1);
  EXPECT_EQ(subset->image(1), dd::make_image(2, 2, 1));
  EXPECT_EQ(subset->content_hash(2), all->content_hash(1));
  const auto classes = dd::indices_by_class(*subset);
  EXPECT_EQ(classes, (std::vector<std::vector<std::int64_t>>{{1, 2}, {0}}));
  EXPECT_THROW(dd::make_subset(all, {6}), dd::Error);
  EXPECT_THROW(subset->id(3), dd::Error);
}

}  // namespace
