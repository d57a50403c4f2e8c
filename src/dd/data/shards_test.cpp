// SPDX-License-Identifier: Apache-2.0
#include "dd/data/shards.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/data/tar_index.h"
#include "dd/image/write.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using dd::test::expect_input_error;
using dd::test::input_error;
using dd::test::noise_picture;
using dd::test::write_tar;

std::string png(std::uint64_t seed) {
  return dd::encode_png(noise_picture(seed));
}

class ShardsTest : public testing::Test {
 protected:
  const fs::path& root() const { return folder_.path(); }
  Names ids(const std::string& data, const std::string& split) const {
    const auto set = dd::open_dataset(dd::parse_data_spec((root() / data).string()), split);
    Names result;
    for (std::int64_t i = 0; i < set->size(); ++i) {
      result.push_back(
          dd::cat(set->class_names()[static_cast<std::size_t>(set->label(i))], " ", set->id(i)));
    }
    return result;
  }
  std::string error(const std::string& data) const {
    return input_error([&] { dd::open_shards(root() / data, "all"); });
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(ShardsTest, ReadsImagesByOffset) {
  // A name too long for the old header has one of its own in front.
  const std::string long_name = "folder/" + std::string(150, 'x');
  write_tar(root() / "s-00.tar", {{"a/0001.jpg", dd::test::jpeg_bytes(noise_picture(1))},
                                  {"a/0001.cls", "1\n"},
                                  {"a/0001.txt", "dog"},
                                  {"a/0002.png", png(2)},
                                  {"a/0002.cls", "0"},
                                  {"a/0002.txt", "cat\n"},
                                  {"notes.txt", "no sample: it has no image"}});
  write_tar(root() / "s-01.tar", {{long_name + ".png", png(3)}, {long_name + ".cls", "1"}});
  const std::string pattern = (root() / "s-{00..01}.tar").string();
  EXPECT_EQ(dd::parse_data_spec(pattern).kind, "shards");
  const auto set = dd::open_dataset(dd::parse_data_spec(pattern), "train");
  EXPECT_EQ(set->class_names(), (Names{"cat", "dog"}));
  ASSERT_EQ(set->size(), 3);
  EXPECT_EQ(set->id(0), "s-00.tar/a/0002.png");
  EXPECT_EQ(set->image(0), noise_picture(2));
  EXPECT_EQ(set->content_hash(0), dd::sha256_of(png(2)));
  EXPECT_EQ(set->image(1), dd::decode_image(dd::test::jpeg_bytes(noise_picture(1)), "x"));
  EXPECT_EQ(set->image(2), noise_picture(3));
}

TEST_F(ShardsTest, JsonGivesLabels) {
  write_tar(root() / "one.tar", {{"1.json", "{\"label\": 1, \"class\": \"dog\"}"},
                                 {"1.webp.png", "a second ending is no image"},
                                 {"1.png", png(1)},
                                 {"2.png", png(2)},
                                 {"2.json", "{\"cls\": 0, \"class_name\": \"cat\"}"}});
  EXPECT_EQ(ids("one.tar", "all"), (Names{"cat one.tar/2.png", "dog one.tar/1.png"}));
}

TEST_F(ShardsTest, CaptionsNeedAListOfClasses) {
  write_tar(root() / "one.tar", {{"1.png", png(1)},
                                 {"1.cls", "0"},
                                 {"1.txt", "a dog on grass"},
                                 {"2.png", png(2)},
                                 {"2.cls", "0"},
                                 {"2.txt", "a dog in snow"}});
  expect_input_error(error("one.tar"), "classes.txt");
  dd::test::put(root() / "classes.txt", "dog\n");
  EXPECT_EQ(ids("one.tar", "all"), (Names{"dog one.tar/1.png", "dog one.tar/2.png"}));
}

TEST_F(ShardsTest, AFolderOfShardsHasTheSplitsOfTheirNames) {
  for (const char* name :
       {"set-train-0.tar", "set-train-1.tar", "set-val-0.tar", "testing_0.tar"}) {
    write_tar(root() / name, {{"1.png", png(1)}, {"1.cls", "dog"}});
  }
  EXPECT_EQ(ids("", "train"), (Names{"dog set-train-0.tar/1.png", "dog set-train-1.tar/1.png"}));
  EXPECT_EQ(ids("", "val"), (Names{"dog set-val-0.tar/1.png"}));
  EXPECT_EQ(ids("", "test"), (Names{"dog testing_0.tar/1.png"}));
  EXPECT_EQ(ids("set-val-0.tar", "val").size(), 1U);
  // An archive beside class folders is somebody's backup.
  dd::write_png(root() / "cat" / "1.png", noise_picture(1));
  EXPECT_EQ(ids("", "train"), (Names{"cat cat/1.png"}));
}

TEST_F(ShardsTest, PatternsCountWithTheirDigits) {
  const auto names = dd::expand_shards("a-{008..011}.tar");
  ASSERT_EQ(names.size(), 4U);
  EXPECT_EQ(names[0], "a-008.tar");
  EXPECT_EQ(names[3], "a-011.tar");
  EXPECT_EQ(dd::expand_shards("a.tar"), (std::vector<fs::path>{"a.tar"}));
  for (const char* pattern : {"{a..b}.tar", "{3..1}.tar", "{0..99999999}.tar", "{0,1}.tar",
                              "{0..1}{0..1}.tar", "{0..1.tar", "{-1..1}.tar"}) {
    EXPECT_THROW(dd::expand_shards(pattern), dd::Error) << pattern;
  }
}

TEST_F(ShardsTest, FaultsNameTheShardAndSample) {
  expect_input_error(error("gone-{0..1}.tar"), "gone-0.tar");
  write_tar(root() / "b.tar", {{"7.png", png(1)}});
  expect_input_error(error("b.tar"), "sample 7 has no label");
  write_tar(root() / "b.tar", {{"7.png", png(1)}, {"7.json", "[]"}});
  expect_input_error(error("b.tar"), "sample 7");
  const std::string deep = std::string(400'000, '[') + std::string(400'000, ']');
  write_tar(root() / "b.tar", {{"7.png", png(1)}, {"7.json", "{\"label\": " + deep + "}"}});
  expect_input_error(error("b.tar"), "sample 7 is no JSON object");
  write_tar(root() / "b.tar", {{"7.png", png(1)}, {"7.cls", std::string(2 << 20, '1')}});
  expect_input_error(error("b.tar"), "too long for a label");
  dd::test::put(root() / "b.tar", "\x1f\x8b" + std::string(2000, 'x'));
  expect_input_error(error("b.tar"), "no sound tar archive");
}

TEST_F(ShardsTest, MembersThatNamePlacesOutsideAreOnlyRead) {
  const auto listed = [&] {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(root().parent_path() / "outside"))
      files.push_back(entry.path());
    return files;
  };
  fs::create_directories(root().parent_path() / "outside");
  const fs::path outside = fs::relative(root().parent_path() / "outside", root());
  const std::string hostile = (outside / "x").string();
  write_tar(root() / "b.tar", {{hostile + ".png", png(1)}, {hostile + ".cls", "dog"}});
  const auto set = dd::open_shards(root() / "b.tar", "all");
  ASSERT_EQ(set->size(), 1);
  EXPECT_EQ(set->image(0), noise_picture(1));
  EXPECT_EQ(set->file(0), fs::path()) << "no code may take it for a place on the disk";
  EXPECT_TRUE(listed().empty());
  fs::remove_all(root().parent_path() / "outside");
}

TEST_F(ShardsTest, CutOffAndChangedArchivesAreRefusedOrRead) {
  write_tar(root() / "b.tar", {{"7.cls", "dog"}, {"7.png", png(1)}});
  const std::string whole = dd::read_file(root() / "b.tar");
  const auto read = [&](const std::string& bytes) {
    dd::test::put(root() / "c.tar", bytes);
    const auto set = dd::open_shards(root() / "c.tar", "all");
    for (std::int64_t i = 0; i < set->size(); ++i) set->image(i);
  };
  const std::size_t content = std::size_t{3} * 512 + png(1).size();
  for (std::size_t length = 1; length < content; length += 100) {
    EXPECT_NE(input_error([&] { read(whole.substr(0, length)); }), "no error") << length;
  }
  for (std::size_t at = 0; at < content; at += 5) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    input_error([&] { read(bytes); });
  }
}

}  // namespace
