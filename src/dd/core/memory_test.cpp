// SPDX-License-Identifier: Apache-2.0
#include "dd/core/memory.h"

#include <gtest/gtest.h>

#include <vector>

#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 20;

std::int64_t peak_of(std::size_t size) {
  const dd::PeakMemory peak;
  {
    const std::vector<char> block(size, 1);
    EXPECT_EQ(block.back(), 1);
  }
  return peak.bytes().value_or(0);
}

TEST(PeakMemory, CountsWhatIsGoneAgainButNotWhatWasBefore) {
  if (!dd::PeakMemory().bytes()) GTEST_SKIP() << "this system does not say";
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer holds back what is freed";
#endif
  const std::int64_t large = peak_of(kBlock);
  const std::int64_t small = peak_of(1);
  EXPECT_GT(large, static_cast<std::int64_t>(kBlock));
  EXPECT_GT(large - small, static_cast<std::int64_t>(kBlock) / 2);
}

class AvailableMemory : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    dd::write_file_atomically(folder_.path() / file, text);
  }
  std::optional<std::int64_t> available() const { return dd::available_memory(folder_.path()); }

  dd::test::TemporaryFolder folder_;
};

TEST_F(AvailableMemory, IsWhatTheMachineHasWithoutGroups) {
  EXPECT_FALSE(available()) << "nothing is known";
  write("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 8000 kB\n");
  EXPECT_EQ(available(), 8000 * 1024);
  write("proc/self/cgroup", "0::/\nnonsense\n");
  EXPECT_EQ(available(), 8000 * 1024);
}

TEST_F(AvailableMemory, AGroupAndThoseAroundItMayAllowLess) {
  write("proc/meminfo", "MemAvailable: 8000 kB\n");
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("sys/fs/cgroup/outer/inner/memory.current", "1000\n");
  EXPECT_EQ(available(), 8000 * 1024);
  write("sys/fs/cgroup/outer/memory.max", "5000\n");
  write("sys/fs/cgroup/outer/memory.current", "4000\n");
  EXPECT_EQ(available(), 1000);
  write("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 2500\n");
  EXPECT_EQ(available(), 3500) << "the page cache gives way";
  write("sys/fs/cgroup/outer/inner/memory.max", "900\n");
  EXPECT_EQ(available(), 0) << "more is in use than allowed";
}

TEST_F(AvailableMemory, KnowsTheFirstVersionToo) {
  write("proc/meminfo", "MemAvailable: 8000 kB\n");
  write("proc/self/cgroup", "7:cpu:/other\n4:memory:/job\n0::/\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "6000\n");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "5000\n");
  write("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
  EXPECT_EQ(available(), 1500);
}

TEST_F(AvailableMemory, OfThisMachineIsPlausible) {
  const auto here = dd::available_memory();
  if (!here) GTEST_SKIP() << "this system does not say";
  EXPECT_GT(*here, std::int64_t{16} << 20);
}

}  // namespace
