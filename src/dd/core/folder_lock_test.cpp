// SPDX-License-Identifier: Apache-2.0
#include "dd/core/folder_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::FolderLock;
using dd::test::TemporaryFolder;

TEST(FolderLock, RefusesTheSecondByNameUntilTheFirstIsGone) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  std::optional<FolderLock> first(std::in_place, out, out / ".lock");
  ASSERT_TRUE(first->held());
  try {
    const FolderLock second(out, out / ".lock");
    FAIL() << "two holders";
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    const std::string text = error.what();
    EXPECT_NE(text.find(dd::cat("process ", ::getpid(), " on ")), std::string::npos) << text;
    EXPECT_NE(text.find(out.string()), std::string::npos) << text;
  }
  EXPECT_TRUE(fs::exists(out / ".lock")) << "the refused one must not remove it";
  first.reset();
  EXPECT_TRUE(FolderLock(out, out / ".lock").held());
}

TEST(FolderLock, FileOfADeadProcessBlocksNobody) {
  const TemporaryFolder folder;
  dd::write_file_atomically(folder.path() / ".lock", "process 1 on elsewhere");
  EXPECT_TRUE(FolderLock(folder.path(), folder.path() / ".lock").held());
}

TEST(FolderLock, LeavesNoTraceButWhatOthersPutThere) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "a" / "b";
  { const FolderLock lock(out, out / ".lock"); }
  EXPECT_FALSE(fs::exists(folder.path() / "a"));
  {
    const FolderLock lock(out, out / ".lock");
    dd::write_file_atomically(out / "result", "kept");
  }
  EXPECT_TRUE(fs::exists(out / "result"));
  EXPECT_FALSE(fs::exists(out / ".lock"));
}

}  // namespace
