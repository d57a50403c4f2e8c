// SPDX-License-Identifier: Apache-2.0
#include "dd/data/folder.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/class_list.h"
#include "dd/image/write.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class FolderTest : public testing::Test {
 protected:
  const fs::path& root() const { return folder_.path(); }
  void add_image(const std::string& name, std::uint8_t level = 0) const {
    dd::write_png(root() / name, dd::make_image(4, 3, level));
  }
  void add_file(const std::string& name, const std::string& text) const {
    dd::write_file_atomically(root() / name, text);
  }
  Names ids(const std::string& split) const {
    const auto dataset = dd::open_folder(root(), split);
    Names result;
    for (std::int64_t i = 0; i < dataset->size(); ++i) {
      result.push_back(dd::cat(dataset->label(i), " ", dataset->id(i)));
    }
    return result;
  }
  void expect_error(const std::string& split, dd::ErrorKind kind, const std::string& part) const {
    try {
      dd::open_folder(root(), split);
      FAIL() << "should fail with: " << part;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(FolderTest, WithoutSplitsEverythingIsTrain) {
  for (const char* name :
       {"dog/b.png", "dog/a.PNG", "cat/1.png", "dog/.hidden.png", ".git/x.png"}) {
    add_image(name);
  }
  add_file("dog/notes.txt", "no image");
  const Names expected{"0 cat/1.png", "1 dog/a.PNG", "1 dog/b.png"};
  EXPECT_EQ(ids("train"), expected);
  EXPECT_EQ(ids("all"), expected);
  expect_error("test", dd::ErrorKind::kInput, "no test split");
  expect_error("training", dd::ErrorKind::kUsage, "training");
}

TEST_F(FolderTest, SplitsShareTheirClasses) {
  for (const char* name : {"train/b/1.png", "train/a/1.png", "validation/b/2.png",
                           "validation/a/2.png", "test/a/3.png", "test/b/3.png"}) {
    add_image(name);
  }
  EXPECT_EQ(ids("val"), (Names{"0 validation/a/2.png", "1 validation/b/2.png"}));
  EXPECT_EQ(ids("test"), (Names{"0 test/a/3.png", "1 test/b/3.png"}));
  EXPECT_EQ(ids("all").size(), 6U);
  add_image("train/c/1.png");
  EXPECT_EQ(ids("train").back(), "2 train/c/1.png");
  expect_error("test", dd::ErrorKind::kInput, "\"c\" has no images");
}

TEST_F(FolderTest, AFolderOfPicturesCalledTrainIsAClass) {
  add_image("train/1.png");
  add_image("car/1.png");
  EXPECT_EQ(ids("all"), (Names{"0 car/1.png", "1 train/1.png"}));
}

TEST_F(FolderTest, ClassListOrdersAndNames) {
  for (const char* name : {"n01 x/1.png", "n02/1.png", "n03/1.png", "n04/1.png", "n05/1.png"}) {
    add_image(name);
  }
  add_file("classes.txt",
           "# chosen\r\nn03 great white shark\nn01 x\n\nn05\tT-shirt/top\nn02 => tench => fish\n");
  const auto dataset = dd::open_folder(root(), "train");
  EXPECT_EQ(dataset->class_names(),
            (Names{"great white shark", "n01 x", "T-shirt/top", "tench => fish"}));
  EXPECT_EQ(ids("train"), (Names{"0 n03/1.png", "1 n01 x/1.png", "2 n05/1.png", "3 n02/1.png"}));
}

TEST_F(FolderTest, BadClassListsNameTheLine) {
  add_image("a/1.png");
  add_image("b/1.png");
  add_file("classes.txt", "a\nc the third\n");
  expect_error("train", dd::ErrorKind::kInput, "line 2: there is no class folder \"c\"");
  add_file("classes.txt", "a\nb\na\n");
  expect_error("train", dd::ErrorKind::kInput, "line 3");
  add_file("classes.txt", "\n# nothing\n");
  expect_error("train", dd::ErrorKind::kInput, "lists no class");
}

TEST_F(FolderTest, LinesOfClassListsThatAreNotUtf8AreShownByTheirBytes) {
  add_image("a/1.png");
  add_file("classes.txt", "a\nCaf\xe9\n");
  expect_error("train", dd::ErrorKind::kInput, R"(classes.txt, line 2: "Caf\xe9" is not UTF-8; )");
  add_file("classes.txt", "a\tCaf\xe9\n");
  expect_error("train", dd::ErrorKind::kInput, R"("a\x09Caf\xe9" is not UTF-8; save the file)");
}

TEST_F(FolderTest, LinksAreFollowedAndNeverTakenForNothing) {
  for (const char* name : {"store/cat/1.png", "set/train/dog/1.png", "set/test/dog/2.png"}) {
    add_image(name);
  }
  const fs::path set = root() / "set";
  const auto open = [&] { return dd::open_folder(set, "train"); };
  fs::create_directory_symlink(root() / "store/cat", set / "train/cat");
  EXPECT_EQ(open()->class_names(), (Names{"cat", "dog"}));
  fs::rename(root() / "store", root() / "store-not-mounted");
  EXPECT_THROW(open(), dd::Error) << "one class fewer";
  fs::remove(set / "train/cat");
  fs::create_symlink("gone.txt", set / "classes.txt");
  EXPECT_THROW(open(), dd::Error) << "other names";
  fs::remove(set / "classes.txt");
  fs::create_symlink("gone.png", set / "train/dog/2.png");
  EXPECT_EQ(open()->size(), 2);
  fs::create_symlink("gone", set / "val");
  EXPECT_THROW(open(), dd::Error) << "a split fewer";
}

TEST_F(FolderTest, AFileIsNoFolderOfClassFolders) {
  add_image("a/1.png");
  for (const std::string& data : {std::string(), std::string("dtd:"), std::string("imagenet:")}) {
    const dd::DataSpec spec = dd::parse_data_spec(data + (root() / "a/1.png").string());
    try {
      dd::open_dataset(spec, "train");
      FAIL() << data;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find("a/1.png: it is a file; --data takes a folder"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST_F(FolderTest, EmptyAndMissingSetsAreErrors) {
  expect_error("train", dd::ErrorKind::kInput, "no class folders");
  fs::create_directories(root() / "a");
  expect_error("train", dd::ErrorKind::kInput, "\"a\" has no images");
  EXPECT_THROW(dd::open_folder(root() / "missing", "train"), dd::Error);
}

TEST_F(FolderTest, ImagesAreReadAndHashed) {
  add_image("a/1.png", 7);
  add_file("b/1.jpg", "\xff\xd8\xff damaged");
  const auto dataset = dd::open_folder(root(), "train");
  EXPECT_EQ(dataset->image(0), dd::make_image(4, 3, 7));
  EXPECT_EQ(dataset->content_hash(0), dd::sha256_of_file(root() / "a/1.png"));
  try {
    dataset->image(1);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_NE(std::string(error.what()).find("b/1.jpg"), std::string::npos) << error.what();
  }
}

TEST_F(FolderTest, NamesSurviveTheWayThroughFolders) {
  const Names names{"T-shirt/top", "T-shirt:top", ".net", "Ankle boot"};
  const auto classes = dd::folders_for_classes(names);
  EXPECT_EQ(classes[0].folder, "T-shirt_top");
  EXPECT_EQ(classes[1].folder, "T-shirt_top_2");
  for (const auto& entry : classes) add_image(entry.folder + "/1.png");
  dd::write_class_list(root(), classes);
  EXPECT_EQ(dd::open_folder(root(), "all")->class_names(), names);
}

}  // namespace
