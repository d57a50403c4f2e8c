// SPDX-License-Identifier: Apache-2.0
#include "dd/data/mat_file.h"

#include <gtest/gtest.h>

#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

using dd::MatFile;
using dd::test::expect_input_error;
using dd::test::input_error;

class MatFileTest : public testing::Test {
 protected:
  MatFileTest() {
    dd::test::MatWriter writer(path());
    writer.add_numbers("labels", {3, 1, 2});
    writer.add_numbers("halves", {0.5});
    writer.add_texts("names", {"AM General Hummer SUV 2000", "", "x"});
    writer.add_structs("annotations", "fname", "class", {{"00001.jpg", 14}, {"00002.jpg", 3}});
  }
  std::filesystem::path path() const { return folder_.path() / "file.mat"; }

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(MatFileTest, ReadsNumbersTextsAndStructures) {
  const MatFile file(path());
  EXPECT_EQ(file.numbers("labels"), (std::vector<std::int64_t>{3, 1, 2}));
  EXPECT_EQ(file.texts("names"), (std::vector<std::string>{"AM General Hummer SUV 2000", "", "x"}));
  const auto fields = file.fields("annotations", {"class", "fname"});
  EXPECT_EQ(fields.at("class"), (std::vector<std::string>{"14", "3"}));
  EXPECT_EQ(fields.at("fname"), (std::vector<std::string>{"00001.jpg", "00002.jpg"}));
  EXPECT_EQ(file.numbers("labels").size(), 3U);  // variables can be read in any order, and again
}

TEST_F(MatFileTest, SaysWhatDoesNotFit) {
  const MatFile file(path());
  expect_input_error(input_error([&] { file.numbers("gone"); }), "file.mat holds no \"gone\"");
  expect_input_error(input_error([&] { file.numbers("halves"); }), "whole numbers");
  expect_input_error(input_error([&] { file.numbers("names"); }), "whole numbers");
  expect_input_error(input_error([&] { file.texts("labels"); }), "no list of texts");
  expect_input_error(input_error([&] { file.fields("annotations", {"bbox"}); }), "\"bbox\"");
  expect_input_error(input_error([&] { file.fields("labels", {"fname"}); }), "\"fname\"");
  expect_input_error(input_error([&] { MatFile(path().parent_path() / "no.mat"); }), "no.mat");
}

TEST_F(MatFileTest, DamagedFilesAreRefusedOrReadButNothingElse) {
  const std::string whole = dd::read_file(path());
  const auto cut = path().parent_path() / "cut.mat";
  const auto read_all = [&](const std::string& bytes) {
    dd::write_file_atomically(cut, bytes);
    const MatFile file(cut);
    file.numbers("labels");
    file.texts("names");
    file.fields("annotations", {"fname", "class"});
  };
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    EXPECT_NE(input_error([&] { read_all(whole.substr(0, length)); }), "no error") << length;
  }
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    input_error([&] { read_all(bytes); });
  }
}

}  // namespace
