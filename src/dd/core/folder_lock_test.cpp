// SPDX-License-Identifier: Apache-2.0
#include "dd/core/folder_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/no_locks.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::FolderLock;
using dd::test::TemporaryFolder;

TEST(FolderLock, RefusesTheSecondByNameUntilTheFirstIsGone) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  std::optional<FolderLock> first(std::in_place, out, out / ".lock");
  ASSERT_EQ(first->warning(), "");
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
  EXPECT_EQ(FolderLock(out, out / ".lock").warning(), "");
}

constexpr const char* kDead = ".tmp4711-0badcafe";

/// As a holder on this machine calls itself.
std::string here() {
  const TemporaryFolder folder;
  const FolderLock lock(folder.path(), folder.path() / ".lock");
  const std::string text = dd::read_file(folder.path() / ".lock");
  return text.substr(0, text.find('\n'));
}

TEST(FolderLock, RemovesWhatADeadHolderLeftAndNothingElse) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  const std::string left = std::string("image.png") + kDead;
  const std::vector<fs::path> kept{out / "a" / "image.png", out / "a" / "image.png.tmp4711",
                                   out / "image.png.tmp4712-0badcafe", folder.path() / left};
  for (const fs::path& file : kept) dd::write_file_atomically(file, "kept");
  dd::write_file_atomically(out / "a" / "b" / left, "half");
  dd::write_file_atomically(out / (std::string("folder") + kDead) / "file", "half");
  dd::write_file_atomically(out / ".lock", dd::cat(here(), "\n", kDead, "\n"));
  EXPECT_EQ(FolderLock(out, out / ".lock").warning(), "");
  for (const fs::path& file : kept) EXPECT_TRUE(fs::exists(file)) << file;
  EXPECT_FALSE(fs::exists(out / "a" / "b" / left));
  EXPECT_FALSE(fs::exists(out / (std::string("folder") + kDead)));
}

// Its machine's locks may not reach this one, and it may still be at work.
TEST(FolderLock, LeavesAHolderOfAnotherMachineWhatItMayBeWriting) {
  const TemporaryFolder folder;
  const fs::path& out = folder.path();
  const fs::path old = out / "a" / (std::string("old.png") + kDead);
  const fs::path fresh = out / "a" / (std::string("fresh.png") + kDead);
  for (const fs::path& file : {old, fresh}) dd::write_file_atomically(file, "half");
  const auto now = fs::last_write_time(fresh);
  fs::last_write_time(old, now - std::chrono::hours(1));
  dd::write_file_atomically(out / ".lock", dd::cat("process 4711 on elsewhere\n", kDead, "\n"));
  std::optional<FolderLock> lock(std::in_place, out, out / ".lock");
  const std::string warning = lock->warning();
  EXPECT_NE(warning.find("process 4711 on elsewhere"), std::string::npos) << warning;
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
  // Whoever comes after a kill of this one still knows of them.
  EXPECT_NE(dd::read_file(out / ".lock").find(kDead), std::string::npos);
  fs::last_write_time(fresh, now - std::chrono::hours(1));
  lock.reset();
  EXPECT_FALSE(fs::exists(fresh)) << "nobody writes it";
  EXPECT_FALSE(fs::exists(out / ".lock"));
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
  EXPECT_EQ(FolderLock(out, folder.path() / ".model.safetensors.lock").warning(), "");
  EXPECT_FALSE(fs::exists(out.string() + kDead));
  EXPECT_TRUE(fs::exists(deeper));
}

TEST(FolderLock, AFileOfAnyOtherContentBlocksNobodyAndRemovesNothing) {
  for (const char* content : {"", "\n", "process 1", "x\n\n", "x\n.png\n", "x\n.tmp1\n",
                              "x\n.tmp-0badcafe\n", "x\n/tmp1-0badcafe"}) {
    const TemporaryFolder folder;
    for (const char* name : {"a.png", "b.tmp1", "c.tmp-0badcafe"})
      dd::write_file_atomically(folder.path() / name, "kept");
    dd::write_file_atomically(folder.path() / ".lock", content);
    EXPECT_EQ(FolderLock(folder.path(), folder.path() / ".lock").warning(), "");
    for (const char* name : {"a.png", "b.tmp1", "c.tmp-0badcafe"})
      EXPECT_TRUE(fs::exists(folder.path() / name)) << content;
  }
}

TEST(FolderLock, SaysThatADiskKnowsNoLocks) {
  const TemporaryFolder folder;
  const dd::test::NoLocks disk;
  const FolderLock first(folder.path(), folder.path() / ".lock");
  const FolderLock second(folder.path(), folder.path() / ".lock");
  for (const FolderLock* lock : {&first, &second}) {
    EXPECT_NE(lock->warning().find("knows no locks"), std::string::npos) << lock->warning();
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
