// SPDX-License-Identifier: Apache-2.0
#include "dd/data/mat_file.h"

#include <gtest/gtest.h>

#include "dd/core/files.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

// What scipy 1.17's savemat(do_compression=True) makes of a cell array of two texts (class_names),
// a structure array (annotations: class, fname) and numbers (labels), behind the 116 bytes of text
// that each such file begins with.
constexpr std::string_view kByScipy =
    "00000000000000000001494d0f00000074000000789ce36360607800c46c40cc01c48c0c10c08ac46782d2dc"
    "409c9c93585c1c9f97989b5a0c56c707c40148fa59b0e89742325700ca77f455704fcd4b2d4acc51f028cdcd"
    "4d2d52080e0d533032303060809beb41c05c613473417cc7e4d2a24485201f85e0d494c43ca0818646607900"
    "362014a70f00000075000000789ce3636060886064606003d21c40ccc40001ac503e23540c44730371625e5e"
    "7e496249667e5e31541d0b582f489e07889373128b8b19d2f2127353c1f27c406cc080309f138bf930cc00b6"
    "8b11ac07841d90f4b160d1c789a44f00ca37000243bdac8274a83839f6f35368bf1192fd00357b104b0f0000"
    "002e000000789ce3636060b000623620e600624e06086085f2198198094a83d4e42426a5e61483c498187cfd"
    "1818003b770387";

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

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

TEST_F(MatFileTest, ReadsWhatAnotherProgramCompressed) {
  std::string text = "MATLAB 5.0 MAT-file";
  text.resize(116, ' ');
  dd::test::put(path(), text + from_hex(kByScipy));
  const MatFile file(path());
  EXPECT_EQ(file.texts("class_names"),
            (std::vector<std::string>{"AM General Hummer SUV 2000", "Acura RL Sedan 2012"}));
  const auto fields = file.fields("annotations", {"class", "fname"});
  EXPECT_EQ(fields.at("class"), (std::vector<std::string>{"14", "15"}));
  EXPECT_EQ(fields.at("fname"), (std::vector<std::string>{"00001.jpg", "00002.jpg"}));
  EXPECT_EQ(file.numbers("labels"), (std::vector<std::int64_t>{77, 78}));
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
  const auto damaged = path().parent_path() / "damaged.mat";
  const auto read_all = [&](const std::string& bytes) {
    dd::test::put(damaged, bytes);
    const MatFile file(damaged);
    file.numbers("labels");
    file.texts("names");
    file.fields("annotations", {"fname", "class"});
  };
  const std::string packed = dd::read_file(path());
  for (std::size_t length = 0; length < packed.size(); length += 7) {
    EXPECT_NE(input_error([&] { read_all(packed.substr(0, length)); }), "no error") << length;
  }
  // What lies inside, where changes reach the parser rather than zlib's checksum.
  std::string plain = packed.substr(0, 128);
  for (std::size_t at = 128; at < packed.size();) {
    const auto size = static_cast<unsigned char>(packed[at + 4]) +
                      256U * static_cast<unsigned char>(packed[at + 5]);
    std::string inflated(4096, '\0');
    uLongf length = inflated.size();
    ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(inflated.data()), &length,
                         reinterpret_cast<const Bytef*>(packed.data() + at + 8), size),
              Z_OK);
    plain += inflated.substr(0, length);
    at += 8 + size;
  }
  EXPECT_EQ(input_error([&] { read_all(plain); }), "no error");
  for (std::size_t length = 128; length < plain.size(); length += 5) {
    EXPECT_NE(input_error([&] { read_all(plain.substr(0, length)); }), "no error") << length;
  }
  for (std::size_t at = 124; at < plain.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string bytes = plain;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      input_error([&] { read_all(bytes); });
    }
  }
}

TEST_F(MatFileTest, NothingIsInflatedWithoutLimit) {
  const std::string zeros(std::size_t{65} << 20, '\0');
  uLongf size = compressBound(zeros.size());
  std::string packed(size, '\0');
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                      reinterpret_cast<const Bytef*>(zeros.data()), zeros.size(), 1),
            Z_OK);
  packed.resize(size);
  dd::test::put(path(), dd::read_file(path()).substr(0, 128) + dd::test::low_first(15, 4) +
                            dd::test::low_first(size, 4) + packed);
  expect_input_error(input_error([&] { MatFile(path()).texts("names"); }), "compressed bytes");
}

TEST_F(MatFileTest, ClaimsAreCheckedAgainstTheBytes) {
  // A cell array of 90 million elements in a few bytes.
  using dd::test::low_first;
  const std::string head = low_first(6, 4) + low_first(8, 4) + low_first(1, 8) + low_first(5, 4) +
                           low_first(8, 4) + low_first(9000, 4) + low_first(10000, 4) +
                           low_first(1 + (1 << 16), 4) + "n" + std::string(3, '\0');
  dd::test::put(path(), dd::read_file(path()).substr(0, 128) + low_first(14, 4) +
                            low_first(head.size(), 4) + head);
  expect_input_error(input_error([&] { MatFile(path()).texts("n"); }), "fewer elements");
}

}  // namespace
