// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/writer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

namespace fs = std::filesystem;

class ImageSetWriterTest : public ::testing::Test {
 protected:
  static Plan plan(std::int64_t each = 2) {
    Plan plan;
    plan.subjects = {{"cat", "cat", "a photo of a cat"}, {"dog", "dog", "a photo of a dog"}};
    plan.each = each;
    plan.labelled = true;
    return plan;
  }
  static SetDescription description(int steps = 50) {
    SetDescription result;
    Json subjects = Json::array();
    for (const char* name : {"cat", "dog"}) subjects.push_back({{"class", name}, {"folder", name}});
    result.settings = {{"steps", steps}, {"subjects", subjects}};
    result.common_line = {{"steps", steps}, {"model", "m"}};
    result.loras = {Json::array(), Json::array({{{"file", "dog.safetensors"}}})};
    return result;
  }
  ImageSetWriter writer(std::int64_t each = 2, int steps = 50, bool force = false) const {
    return {out_, plan(each), description(steps), force};
  }
  void fill(ImageSetWriter& set) const {
    set.begin();
    for (const PlannedImage& planned : set.missing()) set.write(planned, make_image(4, 4, 90));
    set.write_metadata();
  }
  std::vector<Json> lines() const {
    std::istringstream text(read_file(out_ / "metadata.jsonl"));
    std::vector<Json> result;
    for (std::string line; std::getline(text, line);) result.push_back(Json::parse(line));
    return result;
  }

  test::TemporaryFolder folder_;
  fs::path out_ = folder_.path() / "set";
};

TEST_F(ImageSetWriterTest, LinesNameFileClassLabelAndHowItWasMade) {
  ImageSetWriter set = writer();
  fill(set);
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[3].at("file_name"), "dog/00001.png");
  EXPECT_TRUE(fs::exists(out_ / "dog/00001.png"));
  EXPECT_EQ(all[3].at("class"), "dog");
  EXPECT_EQ(all[3].at("label"), 1);
  EXPECT_EQ(all[3].at("seed"), plan().image(1, 1).seed);
  EXPECT_EQ(all[3].at("steps"), 50);
  EXPECT_EQ(all[3].at("lora").at(0).at("file"), "dog.safetensors");
  EXPECT_TRUE(all[0].at("lora").empty());
}

TEST_F(ImageSetWriterTest, SecondCallCompletesAndExtends) {
  ImageSetWriter first = writer();
  fill(first);
  fs::remove(out_ / "cat/00001.png");
  const auto missing = writer().missing();
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].file, "cat/00001.png");
  EXPECT_EQ(writer(3).missing().size(), 3u);
}

TEST_F(ImageSetWriterTest, AFileThatWasCopiedInPartIsNoImage) {
  ImageSetWriter first = writer();
  fill(first);
  fs::resize_file(out_ / "cat" / "00001.png", 60);
  fs::resize_file(out_ / "dog" / "00000.png", 0);
  ImageSetWriter second = writer();
  ASSERT_EQ(second.missing().size(), 2U);
  EXPECT_EQ(second.missing()[0].file, "cat/00001.png");
  EXPECT_EQ(second.missing()[1].file, "dog/00000.png");
  fill(second);
  EXPECT_TRUE(writer().missing().empty());
}

TEST_F(ImageSetWriterTest, SmallerCallKeepsTheLinesOfTheLargerOne) {
  ImageSetWriter large = writer(3);
  fill(large);
  ImageSetWriter small = writer(1);
  EXPECT_TRUE(small.missing().empty());
  fill(small);
  EXPECT_EQ(lines().size(), 6u);
}

TEST_F(ImageSetWriterTest, LinesAreOnlyOfImagesThatExist) {
  ImageSetWriter set = writer();
  set.begin();
  set.write(plan().image(1, 0), make_image(4, 4));
  set.write_metadata();
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0].at("file_name"), "dog/00000.png");
}

TEST_F(ImageSetWriterTest, OtherSettingsAreRefusedByName) {
  ImageSetWriter first = writer();
  fill(first);
  try {
    writer(2, 20);
    ADD_FAILURE() << "other settings were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("steps 50 instead of 20"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(lines().size(), 4u);
}

TEST_F(ImageSetWriterTest, ImagesOfUnknownOriginAreRefused) {
  make_folder(out_ / "cat");
  write_file_atomically(out_ / "cat/00000.png", "not ours");
  EXPECT_THROW(writer(), Error);
}

TEST_F(ImageSetWriterTest, ForceRemovesTheEarlierSetAndNothingElse) {
  ImageSetWriter first = writer(3);
  fill(first);
  write_file_atomically(out_ / "notes.txt", "mine");
  write_file_atomically(out_ / "dog/picture.png", "mine");
  ImageSetWriter second = writer(1, 20, true);
  EXPECT_EQ(second.missing().size(), 2u);
  second.begin();
  EXPECT_FALSE(fs::exists(out_ / "cat"));
  EXPECT_FALSE(fs::exists(out_ / "dog/00002.png"));
  EXPECT_FALSE(fs::exists(out_ / "metadata.jsonl"));
  EXPECT_TRUE(fs::exists(out_ / "dog/picture.png"));
  EXPECT_TRUE(fs::exists(out_ / "notes.txt"));
}

TEST_F(ImageSetWriterTest, ForceDoesNotFollowAForgedSettingsFileOutOfTheFolder) {
  write_file_atomically(folder_.path() / "00000.png", "precious");
  write_file_atomically(out_ / "generate.json",
                        R"({"images_each": 1, "settings": {"subjects": [{"folder": ".."}]}})");
  ImageSetWriter set = writer(2, 50, true);
  EXPECT_THROW(set.begin(), Error);
  EXPECT_TRUE(fs::exists(folder_.path() / "00000.png"));
}

TEST_F(ImageSetWriterTest, WhatIsNoRecordOfImagesIsNamed) {
  for (const char* forged : {"[]", "7", R"({"settings": []})", R"({"settings": {"subjects": 1}})",
                             R"({"images_each": 9000000000000000000})", R"({"images_each": -1})"}) {
    write_file_atomically(out_ / "generate.json", forged);
    for (const bool force : {false, true}) {
      try {
        writer(2, 50, force);
        FAIL() << forged;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput);
        EXPECT_NE(std::string(error.what()).find("generate.json"), std::string::npos) << forged;
      }
    }
  }
}

}  // namespace
}  // namespace dd::generate
