// SPDX-License-Identifier: Apache-2.0
#include "dd/core/room.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <limits>
#include <string>
#include <vector>

#include "dd/core/memory.h"
#include "support/temporary_folder.h"

namespace {

struct Collector final : dd::Reporter {
  std::vector<std::string> infos, warnings;
  void info(const std::string& text) override { infos.push_back(text); }
  void warn(const std::string& text) override { warnings.push_back(text); }
  void progress(const std::string&, std::int64_t, std::int64_t, const std::string&) override {}
};

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(Room, FoldersThatAreNotThereYetLieOnTheDiskOfTheirParent) {
  const dd::test::TemporaryFolder folder;
  const auto here = dd::free_space(folder.path());
  const auto later = dd::free_space(folder.path() / "a" / "b");
  const auto bytes = static_cast<double>(here.value_or(0));
  EXPECT_GT(bytes, 0);
  // Others write at the same time.
  EXPECT_NEAR(static_cast<double>(later.value_or(0)), bytes, 0.1 * bytes);
}

TEST(Room, WarnsWhenTheDiskIsTooSmall) {
  const dd::test::TemporaryFolder folder;
  Collector report;
  dd::report_space(folder.path(), 1500, "2 images", report);
  ASSERT_EQ(report.infos.size(), 1U);
  EXPECT_TRUE(report.infos[0].starts_with("2 images take at most 1.5 kB on disk, "))
      << report.infos[0];
  dd::report_space(folder.path(), kMost, "2 images", report);
  ASSERT_EQ(report.warnings.size(), 1U);
  EXPECT_NE(report.warnings[0].find("but only "), std::string::npos) << report.warnings[0];
}

TEST(Room, MemoryIsWhatTheSystemOrALimitLeaves) {
  EXPECT_GT(dd::available_memory().value_or(0), 0);
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer takes terabytes of addresses for itself";
#endif
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &old), 0);
  rlimit low = old;
  low.rlim_cur = 1;  // less than is taken already: nothing is left
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &low), 0);
  const auto left = dd::available_memory();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &old), 0);
  EXPECT_EQ(left, 0);
}

TEST(Room, WarnsOfMemoryThatIsNotThere) {
  Collector report;
  dd::report_memory({1500, 2000}, "weights", report);
  dd::report_memory({1500}, "weights", report);
  EXPECT_TRUE(report.warnings.empty());
  EXPECT_EQ(report.infos,
            (std::vector<std::string>{"weights take 1.5 kB of memory, 2.0 kB are available",
                                      "weights take 1.5 kB of memory"}));
  dd::report_memory({kMost, 2000}, "weights", report);
  ASSERT_EQ(report.warnings.size(), 1U);
  EXPECT_NE(report.warnings[0].find("but only 2.0 kB are available; "), std::string::npos)
      << report.warnings[0];
}

TEST(Room, BytesAreWrittenInTheUnitThatSuits) {
  EXPECT_EQ(dd::bytes_text(0), "0 bytes");
  EXPECT_EQ(dd::bytes_text(999), "999 bytes");
  EXPECT_EQ(dd::bytes_text(1234), "1.2 kB");
  EXPECT_EQ(dd::bytes_text(999'999), "1.0 MB");
  EXPECT_EQ(dd::bytes_text(3'440'000'000), "3.4 GB");
}

}  // namespace
