// SPDX-License-Identifier: Apache-2.0
#include "dd/data/image_list.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "dd/core/files.h"
#include "dd/data/csv.h"
#include "dd/data/label_book.h"
#include "dd/image/write.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::ImageList;
using dd::Split;
using dd::test::expect_input_error;
using dd::test::input_error;

ImageList list_of(int classes, int each) {
  ImageList list;
  for (int label = 0; label < classes; ++label) {
    list.class_names.push_back(dd::cat("class ", label));
    for (int i = 0; i < each; ++i) {
      list.images.push_back({.id = dd::cat(label, "/", 1000 + i), .label = label});
    }
  }
  return list;
}

std::map<Split, int> counts(const ImageList& list, std::int64_t label) {
  std::map<Split, int> result;
  for (const dd::ListedImage& image : list.images) {
    if (image.label == label) ++result[image.split];
  }
  return result;
}

TEST(ImageList, HoldsOutAFifthOfTrainUpToFifty) {
  for (const auto& [each, held_out] : {std::pair(10, 2), {4, 1}, {2, 0}, {1300, 50}}) {
    ImageList list = list_of(2, each);
    dd::hold_out_validation(list);
    for (const int label : {0, 1}) EXPECT_EQ(counts(list, label)[Split::kVal], held_out) << each;
  }
}

TEST(ImageList, TheHeldOutDoNotDependOnOtherClassesOrTheOrder) {
  ImageList one = list_of(1, 20);
  ImageList two = list_of(2, 20);
  std::ranges::reverse(two.images);
  dd::hold_out_validation(one);
  dd::hold_out_validation(two);
  std::map<std::string, Split> split_of;
  for (const dd::ListedImage& image : two.images) split_of[image.id] = image.split;
  for (const dd::ListedImage& image : one.images) EXPECT_EQ(split_of[image.id], image.split);
}

TEST(ImageList, SharesAreHalfAFifthAndTheRest) {
  ImageList list = list_of(3, 41);
  dd::split_by_shares(list);
  for (const int label : {0, 1, 2}) {
    auto count = counts(list, label);
    EXPECT_EQ(count[Split::kTrain], 21);
    EXPECT_EQ(count[Split::kVal], 8);
    EXPECT_EQ(count[Split::kTest], 12);
  }
}

TEST(ImageList, OpensSplitsInOrderOfLabelAndId) {
  ImageList list;
  list.class_names = {"a", "b"};
  list.images = {{.id = "z.png", .label = 0},
                 {.id = "b.png", .label = 1, .split = Split::kTest},
                 {.id = "c.png", .label = 1},
                 {.id = "a.png", .label = 1}};
  const auto train = dd::open_listed("/pictures", list, "train", "set", {});
  ASSERT_EQ(train->size(), 3);
  EXPECT_EQ(train->id(0), "z.png");
  EXPECT_EQ(train->id(1), "a.png");
  EXPECT_EQ(train->file(1), "/pictures/a.png");
  EXPECT_EQ(dd::open_listed("/pictures", list, "all", "set", {})->size(), 4);
  expect_input_error(input_error([&] { dd::open_listed("/pictures", list, "val", "set", {}); }),
                     "set has no val split");
  EXPECT_THROW(dd::open_listed("/pictures", list, "valid", "set", {}), dd::Error);
}

TEST(ImageList, RefusesListsThatContradictThemselves) {
  const auto error = [](const ImageList& list) {
    return input_error([&] { dd::open_listed("/pictures", list, "all", "set", {}); });
  };
  ImageList twice = list_of(1, 1);
  twice.images.push_back(twice.images.front());
  expect_input_error(error(twice), "listed twice");
  ImageList same = list_of(2, 1);
  same.class_names[1] = same.class_names[0];
  expect_input_error(error(same), "two classes called \"class 0\"");
  for (const std::int64_t label : {-1, 2}) {
    ImageList wrong = list_of(2, 1);
    wrong.images[0].label = label;
    expect_input_error(error(wrong), "there are 2 classes");
  }
}

TEST(ImageList, NamesThatRecordsCannotHoldAreRefused) {
  const auto error = [](const ImageList& list) {
    return input_error([&] { dd::open_listed("/pictures", list, "all", "set", {}); });
  };
  ImageList list = list_of(2, 1);
  list.class_names[1] = "Caf\xe9";
  expect_input_error(error(list),
                     R"(set has a class called "Caf\xe9", which is not UTF-8; rename)");
  list.class_names[1] = "Café";
  EXPECT_NO_THROW(dd::open_listed("/pictures", list, "all", "set", {}));
  list.images[0].id = "a/\xff.png";
  expect_input_error(error(list), R"(set has an image called "a/\xff.png")");
}

TEST(ImageList, PartsOfFilesAreReadByOffsetAndCheckedFirst) {
  const dd::test::TemporaryFolder folder;
  const dd::Image picture = dd::test::noise_picture(1);
  const std::string png = dd::encode_png(picture);
  dd::write_file_atomically(folder.path() / "pack", "front" + png + "back");
  ImageList list;
  list.class_names = {"a"};
  list.images = {{.id = "one.png", .label = 0, .file = "pack", .offset = 5, .bytes = png.size()},
                 {.id = "two.png", .label = 0, .file = "pack", .offset = 5, .bytes = 1ULL << 40}};
  const auto set = dd::open_listed(folder.path(), list, "all", "set", {});
  EXPECT_EQ(set->image(0), picture);
  EXPECT_EQ(set->content_hash(0), dd::sha256_of(png));
  EXPECT_TRUE(set->file(0).empty());
  expect_input_error(input_error([&] { set->image(1); }), "shorter than it was");
}

TEST(ImageList, FolderListsKeepWhatCannotBeReadAndLeaveOutFolders) {
  const dd::test::TemporaryFolder folder;
  const fs::path& root = folder.path();
  dd::test::put(root / "0.png", "a file");
  fs::create_symlink("0.png", root / "1.PNG");
  fs::create_symlink("gone/2.png", root / "2.png");
  fs::create_symlink("3.png", root / "3.png");
  ASSERT_EQ(::mkfifo((root / "4.jpg").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", root / "5.webp");
  fs::create_directories(root / "6.png");
  fs::create_symlink("6.png", root / "7.png");
  for (const char* name : {".8.png", "notes"}) fs::create_symlink("gone/9", root / name);
  EXPECT_EQ(dd::list_images(root),
            (std::vector<std::string>{"0.png", "1.PNG", "2.png", "3.png", "4.jpg", "5.webp"}));
}

TEST(ImageList, FoldersThatLinksNoLongerLeadToAreRefused) {
  const dd::test::TemporaryFolder folder;
  const fs::path& root = folder.path();
  fs::create_directories(root / "cat");
  fs::create_symlink("cat", root / "dog");
  dd::test::put(root / "notes.txt", "a file");
  fs::create_symlink("notes.txt", root / "readme");
  for (const char* name : {".hidden", "a.png"}) fs::create_symlink("gone", root / name);
  EXPECT_EQ(dd::list_folders(root), (std::vector<std::string>{"cat", "dog"}));
  fs::create_symlink("gone", root / "owl");
  expect_input_error(input_error([&] { dd::list_folders(root); }), "owl to gone: it leads nowhere");
}

TEST(ImageList, FilesThatAreNoneAreRefusedUnopened) {
  const dd::test::TemporaryFolder folder;
  ImageList list;
  list.class_names = {"a"};
  list.images = {{.id = "link.png", .label = 0}, {.id = "pipe.png", .label = 0}};
  fs::create_symlink("gone.png", folder.path() / "link.png");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe.png").c_str(), 0600), 0);
  const auto set = dd::open_listed(folder.path(), list, "all", "set", {});
  const auto expect_refused = [&set = *set](std::int64_t index, const std::string& why) {
    expect_input_error(input_error([&] { set.image(index); }), why);
    expect_input_error(input_error([&] { set.content_hash(index); }), why);
  };
  expect_refused(0, "it leads nowhere; mount");
  expect_refused(1, "it is a pipe");
}

TEST(ImageList, PathsStayBelowTheSet) {
  for (const char* path : {"", "/etc/passwd", "../x.png", "a/../../x.png"}) {
    expect_input_error(input_error([&] { dd::check_relative(path, "list.csv, line 3"); }),
                       "list.csv, line 3");
  }
  EXPECT_NO_THROW(dd::check_relative("a/..b/c.png", "list"));
}

TEST(Csv, ReadsQuotesAndLineEnds) {
  const auto rows = dd::parse_csv(
      "\xef\xbb\xbfpath,label\r\n\"a,b\",\"say \"\"x\"\"\"\n\n\"two\nlines\",\n", "f");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"path", "label"}));
  EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"a,b", "say \"x\""}));
  EXPECT_EQ(rows[2].fields, (std::vector<std::string>{"two\nlines", ""}));
  EXPECT_EQ(rows[2].line, 4);
  EXPECT_TRUE(dd::parse_csv("", "f").empty());
}

TEST(Csv, NamesTheLineOfAFault) {
  expect_input_error(input_error([] { dd::parse_csv("a\n\"b\nc", "f.csv"); }), "f.csv, line 2");
  expect_input_error(input_error([] { dd::parse_csv("a\n\"b\"c\n", "f.csv"); }), "f.csv, line 2");
}

class LabelBookTest : public testing::Test {
 protected:
  dd::LabelBook book() const { return {folder_.path() / "classes.txt", "set"}; }
  void list(const std::string& text) const {
    dd::write_file_atomically(folder_.path() / "classes.txt", text);
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(LabelBookTest, NamesAreSortedAndNumbersKeepTheirOrder) {
  dd::LabelBook names = book();
  for (const char* name : {"dog", "cat", "dog"}) names.add({{}, name}, "here");
  EXPECT_EQ(names.class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(names.label_of({{}, "dog"}), 1);
  dd::LabelBook numbers = book();
  for (const auto& [number, name] : {std::pair(1, "cat"), {0, "dog"}, {1, ""}}) {
    numbers.add({number, name}, "here");
  }
  EXPECT_EQ(numbers.class_names(), (std::vector<std::string>{"dog", "cat"}));
}

TEST_F(LabelBookTest, AListDecides) {
  list("# order of the old project\ndog\ncat\n");
  dd::LabelBook listed = book();
  listed.add({1, "a caption"}, "here");
  listed.add({{}, "dog"}, "here");
  EXPECT_EQ(listed.class_names(), (std::vector<std::string>{"dog", "cat"}));
  EXPECT_EQ(listed.label_of({{}, "cat"}), 1);
  expect_input_error(input_error([&] { listed.add({2, ""}, "here"); }), "label 2");
  expect_input_error(input_error([&] { listed.add({{}, "cow"}, "here"); }), "cow");
  list("dog\ndog\n");
  expect_input_error(input_error([&] { book(); }), "line 2");
}

TEST_F(LabelBookTest, FaultsAskForAListOfNames) {
  expect_input_error(input_error([&] { book().add({}, "x.csv, line 7"); }), "x.csv, line 7");
  dd::LabelBook nameless = book();
  nameless.add({0, ""}, "here");
  expect_input_error(input_error([&] { nameless.class_names(); }), "classes.txt");
  dd::LabelBook gap = book();
  gap.add({1, "b"}, "here");
  expect_input_error(input_error([&] { gap.class_names(); }), "number 0 does not occur");
  dd::LabelBook twice = book();
  twice.add({0, "a"}, "here");
  expect_input_error(input_error([&] { twice.add({0, "b"}, "there"); }), "there");
  dd::LabelBook mixed = book();
  mixed.add({0, "a"}, "here");
  mixed.add({{}, "b"}, "here");
  expect_input_error(input_error([&] { mixed.class_names(); }), "some by name alone");
}

}  // namespace
