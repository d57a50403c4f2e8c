// SPDX-License-Identifier: Apache-2.0
#include "dd/data/list_file.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "dd/image/write.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

using Names = std::vector<std::string>;
using dd::test::expect_input_error;
using dd::test::input_error;

class ListFileTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    dd::write_file_atomically(folder_.path() / name, text);
    return (folder_.path() / name).string();
  }
  static Names ids(const std::string& path, const std::string& split) {
    const auto set = dd::open_dataset(dd::parse_data_spec(path), split);
    Names result;
    for (std::int64_t i = 0; i < set->size(); ++i) {
      result.push_back(
          dd::cat(set->class_names()[static_cast<std::size_t>(set->label(i))], " ", set->id(i)));
    }
    return result;
  }
  std::string error(const std::string& name, const std::string& text) const {
    const std::string path = write(name, text);
    return input_error([&] { dd::open_list_file(path, "all"); });
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(ListFileTest, ReadsCsvWithSplits) {
  const dd::Image picture = dd::test::noise_picture(3);
  dd::write_png(folder() / "photos" / "1.png", picture);
  const std::string path = write("list.csv",
                                 "label,split,path,remark\n"
                                 "dog,train,photos/1.png,good\n"
                                 "cat,validation,photos/2.png,\n"
                                 "dog,test,./photos/3.png,\"a, b\"\n"
                                 "cat,,photos/4.png,\n");
  EXPECT_EQ(ids(path, "train"), (Names{"cat photos/4.png", "dog photos/1.png"}));
  EXPECT_EQ(ids(path, "val"), (Names{"cat photos/2.png"}));
  EXPECT_EQ(ids(path, "test"), (Names{"dog photos/3.png"}));
  const auto set = dd::open_list_file(path, "train");
  EXPECT_EQ(set->image(1), picture);
  EXPECT_EQ(set->file(1), folder() / "photos" / "1.png");
}

TEST_F(ListFileTest, ReadsTheMetadataThatGenerateWrites) {
  const std::string path =
      write("metadata.jsonl",
            "{\"file_name\": \"b/0.png\", \"class\": \"bee\", \"label\": 0, \"seed\": 1}\n\n"
            "{\"file_name\": \"a/0.png\", \"class\": \"ant\", \"label\": 1}\n");
  EXPECT_EQ(ids(path, "all"), (Names{"bee b/0.png", "ant a/0.png"}));
  EXPECT_EQ(dd::parse_data_spec(path).kind, "list");
  EXPECT_EQ(dd::parse_data_spec(path).text(), path);
}

TEST_F(ListFileTest, NumbersTakeTheirNamesFromClassesTxt) {
  const std::string csv = "file_name,label\n1.png,1\n0.png,0\n";
  expect_input_error(error("list.csv", csv), "classes.txt");
  write("classes.txt", "first\nsecond\n");
  EXPECT_EQ(ids(write("list.csv", csv), "train"), (Names{"first 0.png", "second 1.png"}));
}

TEST_F(ListFileTest, FaultsNameTheLine) {
  expect_input_error(error("a.csv", ""), "a.csv is empty");
  expect_input_error(error("a.csv", "path,label\nx.png\n"), "line 2 has 1 fields");
  expect_input_error(error("a.csv", "path,label\nx.png,\n"), "line 2 has no label");
  expect_input_error(error("a.csv", "file,label\n,dog\n"), "line 2 names no image");
  expect_input_error(error("a.csv", "path,label\n../x.png,dog\n"), "line 2");
  expect_input_error(error("a.csv", "path,label,split\nx.png,dog,dev\n"), "split \"dev\"");
  expect_input_error(error("a.csv", "path,label\nx.png,a\nx.png,b\n"), "listed twice");
  expect_input_error(error("a.jsonl", "{\"path\": \"x.png\", \"label\": \"a\"}\n[1]\n"), "line 2");
  expect_input_error(error("a.jsonl", "{\"path\": \"x.png\"\n"), "line 1");
  expect_input_error(error("a.jsonl", "{\"path\": \"x.png\", \"label\": {}}\n[]"), "line 2");
  expect_input_error(input_error([&] { dd::open_list_file(folder() / "no.csv", "all"); }),
                     "no.csv");
}

}  // namespace
