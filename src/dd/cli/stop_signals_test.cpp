// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/stop_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace {

bool is_requested_soon(const dd::CancelToken& token) {
  for (int i = 0; i < 2000 && !token.requested(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return token.requested();
}

class StopSignalsFor : public ::testing::TestWithParam<int> {};

TEST_P(StopSignalsFor, TheFirstRequestsAStop) {
  dd::CancelToken token;
  const dd::cli::StopSignals signals(token);
  EXPECT_FALSE(token.requested());
  ::kill(::getpid(), GetParam());
  EXPECT_TRUE(is_requested_soon(token));
}

INSTANTIATE_TEST_SUITE_P(InterruptAndTerminate, StopSignalsFor, ::testing::Values(SIGINT, SIGTERM));

TEST(StopSignals, EndWithoutASignal) {
  dd::CancelToken token;
  { const dd::cli::StopSignals signals(token); }
  EXPECT_FALSE(token.requested());
}

/// What a process does that gets one signal, as `first` sends it, and then a second one.
void expect_the_second_leaves(void (*first)(dd::CancelToken& token), int second) {
  const auto signalled_twice = [&] {
    dd::CancelToken token;
    const dd::cli::StopSignals signals(token);
    first(token);
    ::kill(::getpid(), second);
    std::this_thread::sleep_for(std::chrono::seconds(10));
    _exit(1);
  };
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(signalled_twice(), ::testing::ExitedWithCode(130),
              "stopping; once more leaves at once");
}

TEST(StopSignalsDeathTest, TheSecondLeavesAtOnce) {
  const auto first = [](dd::CancelToken& token) {
    ::kill(::getpid(), SIGINT);
    if (!is_requested_soon(token)) _exit(1);
  };
  expect_the_second_leaves(first, SIGTERM);
}

TEST(StopSignalsDeathTest, AStopOfAnotherRankIsNotTheFirst) {
  const auto first = [](dd::CancelToken& token) {
    token.request();
    ::kill(::getpid(), SIGTERM);
    // Both at once would be one.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  };
  expect_the_second_leaves(first, SIGINT);
}

}  // namespace
