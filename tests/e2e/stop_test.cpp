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

TEST(StopWithForce, SaysThatForceWouldStartOver) {
  if (!std::filesystem::exists(kData))
    GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const dd::test::TemporaryFolder folder;
  const auto result = dd::test::datadream(
      {"pretrain", "--part", "judge", "--judge-steps", "100000", "--threads", "1", "--data", kData,
       "--force", "--out", (folder.path() / "out").string()},
      {.signal = SIGINT, .signal_after_text = "judge ", .limit_seconds = 120});
  EXPECT_EQ(result.status, 130) << result.err;
  EXPECT_TRUE(result.err.ends_with("without it it goes on with what is there\n")) << result.err;
}

// What is complete is kept, what was made with other settings refused, and --force starts over.
TEST(Pretrain, KnowsWhatItsPartsWereMadeWith) {
  if (!std::filesystem::exists(kData))
    GTEST_SKIP() << "install dataset-fashion-mnist for this test";
  const dd::test::TemporaryFolder folder;
  const auto pretrain = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"pretrain", "--part", "judge",
                                   "--data",   kData,    "--threads",
                                   "1",        "--out",  (folder.path() / "out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return dd::test::datadream(words);
  };
  const auto first = pretrain({"--judge-steps", "2"});
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.err.find("take at most "), std::string::npos) << first.err;
  const auto again = pretrain({"--judge-steps", "2"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find("is complete"), std::string::npos) << again.err;
  for (const std::vector<std::string>& other :
       {std::vector<std::string>{"--judge-steps", "3"}, {"--judge-steps", "2", "--seed", "1"}}) {
    const auto refused = pretrain(other);
    EXPECT_EQ(refused.status, 2) << refused.err;
    EXPECT_NE(refused.err.find("was trained with 2 steps and seed 0; use --force"),
              std::string::npos)
        << refused.err;
  }
  const auto forced = pretrain({"--judge-steps", "3", "--force"});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_EQ(forced.err.find("resumed"), std::string::npos) << forced.err;
}

INSTANTIATE_TEST_SUITE_P(InterruptAndTerminate, Stop, ::testing::Values(SIGINT, SIGTERM));

}  // namespace
