// SPDX-License-Identifier: Apache-2.0
#include "dd/core/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "dd/core/durable_files.h"
#include "dd/core/error.h"
#include "dd/core/json.h"
#include "support/temporary_folder.h"

namespace {

using dd::test::TemporaryFolder;

TEST(Files, FailedWriteKeepsTheOldContentAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a" / "file.txt";
  dd::write_file_atomically(path, "old");
  EXPECT_THROW(dd::write_file_atomically(path,
                                         [](const std::filesystem::path& temporary) {
                                           dd::write_file_atomically(temporary, "half");
                                           throw dd::Error(dd::ErrorKind::kResource, "disk full");
                                         }),
               dd::Error);
  EXPECT_EQ(dd::read_file(path), "old");
  const auto entries = std::filesystem::directory_iterator(path.parent_path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(Files, TemporaryEndingsAreKnownAgain) {
  EXPECT_TRUE(dd::is_temporary_ending(dd::temporary_ending())) << dd::temporary_ending();
  EXPECT_EQ(dd::temporary_ending(), dd::temporary_ending());
  for (const char* other : {"", ".tmp", ".tmp1", ".tmp1-0badcaf", ".tmp1-0badcafg",
                            ".tmp1_0badcafe", ".tmpx-0badcafe", "tmp1-0badcafe", ".tmp-0badcafe"})
    EXPECT_FALSE(dd::is_temporary_ending(other)) << other;
}

TEST(Files, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  for (const auto& path : {folder.path() / "missing.bin", folder.path()}) {
    try {
      dd::read_file(path);
      FAIL();
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
    }
  }
}

TEST(Files, APathThatCannotBeLookedAtIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("circle", folder.path() / "circle");
  for (const auto& path : {folder.path() / "circle", folder.path() / std::string(300, 'a')}) {
    for (auto* ask : {&dd::path_exists, &dd::path_is_folder, &dd::path_is_file}) {
      try {
        (*ask)(path);
        ADD_FAILURE() << path;
      } catch (const dd::Error& error) {
        EXPECT_EQ(error.kind(), dd::ErrorKind::kInput);
        EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
      }
    }
  }
  EXPECT_FALSE(dd::path_exists(folder.path() / "nothing"));
  EXPECT_TRUE(dd::path_is_folder(folder.path()));
  EXPECT_FALSE(dd::path_is_file(folder.path()));
}

TEST(Files, AFolderThatCannotBeIsWrongInput) {
  const TemporaryFolder folder;
  dd::write_file_atomically(folder.path() / "file", "");
  for (const auto& path : {folder.path() / "file", folder.path() / "file" / "below",
                           folder.path() / std::string(300, 'a')}) {
    try {
      dd::make_folder(path);
      ADD_FAILURE() << path;
    } catch (const dd::Error& error) {
      EXPECT_EQ(error.kind(), dd::ErrorKind::kInput) << error.what();
    }
  }
}

TEST(Files, APipeInAFolderIsRefusedAndNotWaitedFor) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THROW(dd::read_file(path), dd::Error);
  EXPECT_THROW(dd::sha256_of_file(path), dd::Error);
}

TEST(Files, Sha256OfKnownText) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "abc";
  dd::write_file_atomically(path, "abc");
  const std::string expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(dd::sha256_of_file(path), expected);
  EXPECT_EQ(dd::sha256_of("abc"), expected);
}

TEST(Json, SyntaxErrorNamesFileAndPlace) {
  const TemporaryFolder folder;
  dd::write_file_atomically(folder.path() / "bad.json", "{\"a\": }");
  try {
    dd::read_json(folder.path() / "bad.json");
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_NE(std::string(error.what()).find("bad.json at byte 7"), std::string::npos)
        << error.what();
  }
}

}  // namespace
