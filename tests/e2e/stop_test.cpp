// SPDX-License-Identifier: Apache-2.0
// Interrupting the real program: it saves its state, says how to go on, and leaves with status 130.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "support/datadream.h"
#include "support/temporary_folder.h"

namespace {

constexpr const char* kData = "/usr/share/datasets/fashion-mnist";

class Stop : public ::testing::TestWithParam<int> {};

TEST_P(Stop, LeavesAResumableRunAndStatus130) {
  if (!std::filesystem::exists(kData))
    GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const dd::test::TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const auto result = dd::test::datadream(
      {"pretrain", "--part", "judge", "--judge-steps", "100000", "--threads", "1", "--data", kData,
       "--out", out},
      {.signal = GetParam(), .signal_after_text = "judge ", .limit_seconds = 120});
  EXPECT_EQ(result.status, 130) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.err.ends_with("the same command resumes the work\n")) << result.err;
  EXPECT_EQ(result.err.find("error"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::exists(out + "/config.toml"));
}

INSTANTIATE_TEST_SUITE_P(InterruptAndTerminate, Stop, ::testing::Values(SIGINT, SIGTERM));

}  // namespace
