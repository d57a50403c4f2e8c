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

constexpr const char* kDead = ".tmp4711-0badcafe";

TEST(FolderLock, RemovesWhatADeadHolderLeftAndNothingElse) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  const std::string left = std::string("image.png") + kDead;
  const std::vector<fs::path> kept{out / "a" / "image.png", out / "a" / "image.png.tmp4711",
                                   out / "image.png.tmp4712-0badcafe", folder.path() / left};
  for (const fs::path& file : kept) dd::write_file_atomically(file, "kept");
  dd::write_file_atomically(out / "a" / "b" / left, "half");
  dd::write_file_atomically(out / (std::string("folder") + kDead) / "file", "half");
  dd::write_file_atomically(out / ".lock", dd::cat("process 4711 on elsewhere\n", kDead, "\n"));
  EXPECT_TRUE(FolderLock(out, out / ".lock").held());
  for (const fs::path& file : kept) EXPECT_TRUE(fs::exists(file)) << file;
  EXPECT_FALSE(fs::exists(out / "a" / "b" / left));
  EXPECT_FALSE(fs::exists(out / (std::string("folder") + kDead)));
}

TEST(FolderLock, RemovesWhatDeadProcessesUnderOneLockLeft) {
  const TemporaryFolder folder;
  const fs::path& out = folder.path();
  // More of them than fit in the first few kilobytes.
  std::vector<std::string> endings;
  for (int rank = 0; rank < 500; ++rank) endings.push_back(dd::cat(".tmp", rank, "-0badcafe"));
  {
    const FolderLock lock(out, out / ".lock", endings);
    fs::copy_file(out / ".lock", out / "kept");
  }
  fs::rename(out / "kept", out / ".lock");  // as if the holder had been killed
  for (const std::string& ending : endings) dd::write_file_atomically(out / ("a" + ending), "half");
  dd::write_file_atomically(out / "a.tmp500-0badcafe", "another's");
  { const FolderLock lock(out, out / ".lock"); }
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(out)) left.push_back(entry.path().filename());
  EXPECT_EQ(left, std::vector<std::string>{"a.tmp500-0badcafe"});
}

TEST(FolderLock, BesideAFileItLooksNoDeeper) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "model.safetensors";
  dd::write_file_atomically(out.string() + kDead, "half");
  const fs::path deeper = folder.path() / "other" / (std::string("a.png") + kDead);
  dd::write_file_atomically(deeper, "of another folder");
  dd::write_file_atomically(folder.path() / ".model.safetensors.lock",
                            dd::cat("process 1\n", kDead, "\n"));
  EXPECT_TRUE(FolderLock(out, folder.path() / ".model.safetensors.lock").held());
  EXPECT_FALSE(fs::exists(out.string() + kDead));
  EXPECT_TRUE(fs::exists(deeper));
}

TEST(FolderLock, AFileOfAnyOtherContentBlocksNobodyAndRemovesNothing) {
  for (const char* content : {"", "\n", "process 1 on elsewhere", "x\n\n", "x\n.png\n",
                              "x\n.tmp1\n", "x\n.tmp-0badcafe\n", "x\n/tmp1-0badcafe"}) {
    const TemporaryFolder folder;
    for (const char* name : {"a.png", "b.tmp1", "c.tmp-0badcafe"})
      dd::write_file_atomically(folder.path() / name, "kept");
    dd::write_file_atomically(folder.path() / ".lock", content);
    EXPECT_TRUE(FolderLock(folder.path(), folder.path() / ".lock").held());
    for (const char* name : {"a.png", "b.tmp1", "c.tmp-0badcafe"})
      EXPECT_TRUE(fs::exists(folder.path() / name)) << content;
  }
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
