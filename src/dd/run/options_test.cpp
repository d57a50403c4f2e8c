// SPDX-License-Identifier: Apache-2.0
#include "dd/run/options.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"

namespace {

using dd::run::RunOptions;

bool refused(const RunOptions& options) {
  try {
    options.check();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kUsage);
    return true;
  }
  return false;
}

TEST(RunOptions, HeldOutChangesNothing) {
  const RunOptions options;
  EXPECT_EQ(dd::options_to_json(options.resolved()), dd::options_to_json(options));
}

TEST(RunOptions, PaperCodeTakesItsChoices) {
  RunOptions options;
  options.protocol = "paper-code";
  EXPECT_FALSE(refused(options));
  const RunOptions resolved = options.resolved();
  EXPECT_EQ(resolved.classifier_targets, "qv");
  EXPECT_EQ(resolved.classifier_alpha, 32);
  EXPECT_EQ(resolved.val_split, options.test_split);
}

TEST(RunOptions, WhatAProtocolSettlesIsNotGivenOtherwise) {
  RunOptions options;
  options.protocol = "paper-code";
  options.classifier_targets = "qkvo";
  EXPECT_TRUE(refused(options));
  options.classifier_targets = "qv";
  EXPECT_FALSE(refused(options));
  options.val_split = "val";
  EXPECT_TRUE(refused(options));
  RunOptions held_out;
  held_out.val_split = held_out.test_split;
  EXPECT_TRUE(refused(held_out)) << "nothing is chosen on test images";
  held_out.val_split = "";
  held_out.protocol = "mine";
  EXPECT_TRUE(refused(held_out));
}

}  // namespace
