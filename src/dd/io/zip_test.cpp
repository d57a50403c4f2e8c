// SPDX-License-Identifier: Apache-2.0
#include "dd/io/zip.h"

#include <gtest/gtest.h>

#include "support/hostile_bytes.h"

namespace {

using dd::io::ZipArchive;
using dd::test::expect_input_error;
using dd::test::input_error;
using dd::test::low_first;
using dd::test::zip_of;

constexpr std::uint64_t kLimit = 1 << 20;

std::string error_of(const std::string& bytes) {
  return input_error([&] {
    const ZipArchive archive(bytes, "bad.zip");
    for (const auto& [name, entry] : archive.entries()) archive.read(name, kLimit);
  });
}

std::string replaced(std::string bytes, std::size_t at, const std::string& by) {
  return bytes.replace(at, by.size(), by);
}

TEST(Zip, ReadsStoredAndDeflatedEntries) {
  const std::string bytes =
      zip_of({{"a/b", "plain"}, {"c", std::string(5000, 'x'), true}, {"none", ""}});
  const ZipArchive archive(bytes, "good.zip");
  EXPECT_EQ(archive.entries().size(), 3);
  EXPECT_EQ(archive.find("a/b")->packed, "plain");
  EXPECT_EQ(archive.read("c", kLimit), std::string(5000, 'x'));
  EXPECT_LT(archive.find("c")->packed.size(), 100);
  EXPECT_EQ(archive.read("none", kLimit), "");
  EXPECT_EQ(archive.find("b"), nullptr);
  expect_input_error(input_error([&] { archive.read("c", 4999); }), "claims 5000 bytes");
}

TEST(Zip, ReadsSizesOf64Bits) {
  // As PyTorch writes large archives: the directory's own figures stand in the 64-bit record, those
  // of an entry in its extra field.
  const std::string plain = zip_of({{"a", "hello"}});
  const std::size_t directory = plain.find("PK\x01\x02");
  std::string entry = plain.substr(directory, 47);
  const std::string extra =
      low_first(1, 2) + low_first(24, 2) + low_first(5, 8) + low_first(5, 8) + low_first(0, 8);
  entry = replaced(replaced(entry, 20, std::string(8, '\xff')), 42, std::string(4, '\xff'));
  entry = replaced(entry, 30, low_first(extra.size(), 2)) + extra;
  const std::string record = "PK\x06\x06" + low_first(44, 8) + low_first(0, 12) + low_first(1, 8) +
                             low_first(1, 8) + low_first(entry.size(), 8) + low_first(directory, 8);
  const std::string bytes = plain.substr(0, directory) + entry + record + "PK\x06\x07" +
                            low_first(0, 4) + low_first(directory + entry.size(), 8) +
                            low_first(1, 4) + "PK\x05\x06" + low_first(0, 4) +
                            std::string(12, '\xff') + low_first(0, 2);
  EXPECT_EQ(ZipArchive(bytes, "large.zip").read("a", kLimit), "hello");
  dd::test::survive_every_change(bytes, error_of);
}

TEST(Zip, DamageIsRefusedInOneLine) {
  const std::string good = zip_of({{"a", "hello"}, {"b", std::string(300, 'y'), true}});
  EXPECT_EQ(error_of(good), "no error");
  const std::size_t directory = good.find("PK\x01\x02");
  const std::size_t end = good.find("PK\x05\x06");
  expect_input_error(error_of(replaced(good, directory + 24, low_first(6, 4))), "do not fit");
  expect_input_error(error_of(replaced(good, directory + 20, low_first(1 << 30, 4))), "outside");
  expect_input_error(error_of(replaced(good, directory + 42, low_first(1 << 30, 4))), "outside");
  expect_input_error(error_of(replaced(good, directory + 8, low_first(1, 2))), "encrypted");
  expect_input_error(error_of(replaced(good, end + 10, low_first(0xFFFF, 2))), "claims 65535");
  expect_input_error(error_of(replaced(good, end + 16, low_first(1 << 30, 4))), "outside");
  const std::size_t second = good.find("PK\x01\x02", directory + 1);
  expect_input_error(error_of(replaced(good, second + 42, low_first(0, 4))), "overlap");
  expect_input_error(error_of(replaced(good, second + 24, low_first(0x7fffffff, 4))), "do not fit");
  expect_input_error(error_of(replaced(good, second + 16, low_first(0, 4))), "unpack");
  expect_input_error(error_of(replaced(good, second + 24, low_first(301, 4))), "unpack");
  expect_input_error(error_of(zip_of({{"a", "1"}, {"a", "2"}})), "twice");
  expect_input_error(error_of("PK\x03\x04"), "cut off");
}

TEST(Zip, AnyDamageIsSurvived) {
  const std::string good = zip_of({{"a", "hello"}, {"b", std::string(300, 'y'), true}});
  dd::test::refuse_every_beginning(
      good, [](const std::string& bytes) { const ZipArchive archive(bytes, "bad.zip"); });
  dd::test::survive_every_change(good, error_of);
}

}  // namespace
