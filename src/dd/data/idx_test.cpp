// SPDX-License-Identifier: Apache-2.0
#include "dd/data/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

// Two images of 2 x 3.
std::string two_images() {
  std::string bytes = number(0x803) + number(2) + number(2) + number(3);
  for (char value = 10; value < 22; ++value) bytes += value;
  return bytes;
}

void write_gzip(const fs::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
            static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

void expect_refused(const fs::path& path, const std::string& why) {
  try {
    dd::read_idx_images(path);
    FAIL() << "read " << path << ", which should fail: " << why;
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
    const std::string text = error.what();
    EXPECT_NE(text.find(path.filename().string()), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  }
}

TEST(Idx, ReadsPlainAndCompressedFilesUnderEitherName) {
  const dd::test::TemporaryFolder folder;
  dd::write_file_atomically(folder.path() / "plain", two_images());
  write_gzip(folder.path() / "packed.gz", two_images());
  for (const char* name : {"plain", "plain.gz", "packed", "packed.gz"}) {
    const dd::IdxImages images = dd::read_idx_images(folder.path() / name);
    EXPECT_EQ(images.count, 2);
    EXPECT_EQ(images.height, 2);
    EXPECT_EQ(images.width, 3);
    EXPECT_EQ(images.image(1)[0], 16);
    EXPECT_EQ(images.image(1)[5], 21);
  }
}

TEST(Idx, ReadsLabels) {
  const dd::test::TemporaryFolder folder;
  const fs::path path = folder.path() / "labels";
  dd::write_file_atomically(path, number(0x801) + number(3) + "\x01\x09\x04");
  EXPECT_EQ(dd::read_idx_labels(path), (std::vector<std::uint8_t>{1, 9, 4}));
  EXPECT_THROW(dd::read_idx_images(path), dd::Error);
}

TEST(Idx, EveryTruncationIsAnError) {
  const dd::test::TemporaryFolder folder;
  const std::string plain = two_images();
  write_gzip(folder.path() / "whole.gz", plain);
  const std::string packed = dd::read_file(folder.path() / "whole.gz");
  for (const std::string& bytes : {plain, packed}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const fs::path path = folder.path() / "cut";
      dd::write_file_atomically(path, bytes.substr(0, size));
      EXPECT_THROW(dd::read_idx_images(path), dd::Error) << size << " of " << bytes.size();
    }
  }
}

TEST(Idx, DamagedFilesAreNamed) {
  const dd::test::TemporaryFolder folder;
  const auto write = [&](const char* name, const std::string& bytes) {
    dd::write_file_atomically(folder.path() / name, bytes);
    return folder.path() / name;
  };
  const std::string body(12, 'x');
  expect_refused(write("labels", number(0x801) + number(12) + body), "3 dimensions");
  expect_refused(write("floats", number(0xD03) + number(1) + number(3) + number(1) + body), "IDX");
  expect_refused(write("none", number(0x803) + number(0) + number(2) + number(3)), "impossible");
  // Sizes whose product passes 64 bits, and sizes that only pretend to be there.
  expect_refused(write("huge", number(0x803) + number(UINT32_MAX) + number(UINT32_MAX) +
                                   number(UINT32_MAX) + body),
                 "impossible");
  expect_refused(write("liar", number(0x803) + number(60000) + number(180) + number(180) + body),
                 "ends early");
  expect_refused(write("long", two_images() + "!"), "more bytes");
  expect_refused(folder.path() / "missing", "no such file");

  write_gzip(folder.path() / "bits.gz", two_images());
  std::string packed = dd::read_file(folder.path() / "bits.gz");
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // in the check sum
  expect_refused(write("bits.gz", packed), "broken");
}

}  // namespace
