// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shots.h"

#include <gtest/gtest.h>

#include <set>

#include "dd/core/error.h"
#include "dd/core/json.h"
#include "dd/image/write.h"
#include "support/temporary_folder.h"

namespace {

class ShotsTest : public testing::Test {
 protected:
  void add_class(const std::string& name, int count) const {
    for (int i = 0; i < count; ++i) {
      dd::write_png(folder_.path() / "data" / name / dd::cat(100 + i, ".png"),
                    dd::make_image(2, 2, static_cast<std::uint8_t>(i)));
    }
  }
  std::unique_ptr<dd::Dataset> open() const {
    return dd::open_dataset({"folder", folder_.path() / "data"}, "train");
  }
  static std::vector<std::string> ids(const dd::Dataset& dataset,
                                      const std::vector<std::int64_t>& indices) {
    std::vector<std::string> result;
    for (const std::int64_t index : indices) result.push_back(dataset.id(index));
    return result;
  }
  void expect_unreadable(const std::string& part) const {
    try {
      dd::read_shots(file(), *open());
      FAIL() << part;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("shots.json"), std::string::npos) << error.what();
    }
  }
  std::filesystem::path file() const { return folder_.path() / "shots.json"; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(ShotsTest, DrawsKDifferentImagesAClass) {
  add_class("a", 20);
  add_class("b", 30);
  const auto dataset = open();
  const auto shots = dd::draw_shots(*dataset, 16, 3);
  ASSERT_EQ(shots.size(), 32U);
  EXPECT_EQ(std::set<std::int64_t>(shots.begin(), shots.end()).size(), 32U);
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(dataset->label(shots[i]), i < 16 ? 0 : 1);
  EXPECT_EQ(shots, dd::draw_shots(*dataset, 16, 3));
  EXPECT_NE(shots, dd::draw_shots(*dataset, 16, 4));
  EXPECT_TRUE(dd::draw_shots(*dataset, 0, 3).empty());
}

TEST_F(ShotsTest, FewerShotsAreTheBeginningOfMore) {
  add_class("a", 20);
  const auto dataset = open();
  auto many = dd::draw_shots(*dataset, 16, 9);
  many.resize(4);
  EXPECT_EQ(dd::draw_shots(*dataset, 4, 9), many);
}

TEST_F(ShotsTest, OtherClassesDoNotChangeADraw) {
  add_class("m", 20);
  const auto alone = open();
  const auto before = ids(*alone, dd::draw_shots(*alone, 5, 1));
  add_class("a", 12);
  const auto together = open();
  const auto after = ids(*together, dd::draw_shots(*together, 5, 1));
  EXPECT_EQ(before, (std::vector<std::string>(after.begin() + 5, after.end())));
}

TEST_F(ShotsTest, TooManyShotsNameTheClass) {
  add_class("a", 20);
  add_class("small one", 3);
  try {
    dd::draw_shots(*open(), 4, 0);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("\"small one\" has 3 images, fewer than the 4"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(ShotsTest, HoldsOutAsManyOfEachClass) {
  add_class("a", 20);
  add_class("b", 20);
  const auto dataset = open();
  const auto shots = dd::draw_shots(*dataset, 8, 0);
  const dd::ShotSplit split = dd::held_out_shots(*dataset, shots, 2, 0);
  ASSERT_EQ(split.validation.size(), 4U);
  ASSERT_EQ(split.train.size(), 12U);
  EXPECT_EQ(dataset->label(split.validation[1]), 0);
  EXPECT_EQ(dataset->label(split.validation[2]), 1);
  std::multiset<std::int64_t> both(split.train.begin(), split.train.end());
  both.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(both, (std::multiset<std::int64_t>(shots.begin(), shots.end())));
  EXPECT_EQ(dd::held_out_shots(*dataset, shots, 0, 0).train, shots);
  EXPECT_THROW(dd::held_out_shots(*dataset, shots, 8, 0), dd::Error);
}

TEST_F(ShotsTest, RecordIsFoundAgainAndVerified) {
  add_class("a", 9);
  add_class("b", 9);
  const auto dataset = open();
  const dd::ShotRecord record{"some/data", "train", UINT64_MAX / 2, 4,
                              dd::draw_shots(*dataset, 4, 5)};
  dd::write_shots(file(), *dataset, record);
  dd::ShotRecord read = dd::read_shots(file(), *dataset);
  EXPECT_EQ(read.indices, record.indices);
  EXPECT_EQ(read.data, record.data);
  EXPECT_EQ(read.split, "train");
  EXPECT_EQ(read.seed, record.seed);
  EXPECT_EQ(read.shots, 4);

  // More images shift the indices, not the shots.
  add_class("0 first", 3);
  const auto larger = open();
  read = dd::read_shots(file(), *larger);
  EXPECT_EQ(ids(*larger, read.indices), ids(*dataset, record.indices));

  const std::string shot = dataset->id(record.indices[5]);
  dd::write_png(folder() / "data" / shot, dd::make_image(2, 2, 200));
  expect_unreadable(shot + " has changed");
  std::filesystem::remove(folder() / "data" / shot);
  expect_unreadable(shot + " is not in the data set");
}

TEST(ShotSplitName, TestIsNoSourceOfShots) {
  EXPECT_NO_THROW(dd::check_shot_split("train"));
  EXPECT_NO_THROW(dd::check_shot_split("world"));
  EXPECT_THROW(dd::check_shot_split("test"), dd::Error);
}

// shots.json goes with the images wherever they lie: nothing in it but "data", which is a note,
// depends on the place.
TEST_F(ShotsTest, ADrawIsReadWhereTheDataLieElsewhere) {
  add_class("a", 4);
  const auto dataset = open();
  dd::write_shots(file(), *dataset, {"data", "train", 3, 2, dd::draw_shots(*dataset, 2, 3)});
  const dd::Json shots = dd::read_json(file());
  for (const dd::Json& image : shots.at("images")) {
    EXPECT_TRUE(image.at("id").get<std::string>().starts_with("a/"));
  }
  std::filesystem::rename(folder() / "data", folder() / "moved");
  const auto moved = dd::open_dataset({"folder", folder() / "moved"}, "train");
  EXPECT_EQ(dd::read_shots(file(), *moved).indices, dd::draw_shots(*moved, 2, 3));
}

}  // namespace
