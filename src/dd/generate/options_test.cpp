// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/options.h"

#include <gtest/gtest.h>

#include <functional>

#include "dd/core/error.h"

namespace dd::generate {
namespace {

void expect_usage_error(const GenerateOptions& options, const std::string& mentioned) {
  try {
    options.check();
    ADD_FAILURE() << "accepted, but should complain of " << mentioned;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(mentioned), std::string::npos) << error.what();
  }
}

GenerateOptions good_options() {
  GenerateOptions options;
  options.model = "model";
  options.prompt = "a photo of a cat";
  return options;
}

TEST(GenerateOptions, DefaultsAreThePapers) {
  const GenerateOptions options;
  EXPECT_EQ(options.steps, 50);
  EXPECT_EQ(options.guidance, 2.0);
  EXPECT_EQ(options.per_class, 500);
  good_options().check();
}

TEST(GenerateOptions, ComplaintsNameTheFlag) {
  GenerateOptions options = good_options();
  options.classes = "list.txt";
  expect_usage_error(options, "--classes");
  options.prompt.reset();
  options.classes.clear();
  expect_usage_error(options, "--prompt");
  options = good_options();
  options.sampler = "heun";
  expect_usage_error(options, "--sampler");
  options = good_options();
  options.guidance_low = 3;
  options.guidance_high = 1;
  expect_usage_error(options, "--guidance-high");
  options = good_options();
  options.model.clear();
  expect_usage_error(options, "--model");
  options = good_options();
  options.steps = 0;
  expect_usage_error(options, "--steps");
}

TEST(GenerateOptions, TheEmptyPromptIsOne) {
  GenerateOptions options = good_options();
  options.prompt = "";
  EXPECT_NO_THROW(options.check());
}

TEST(GenerateOptions, SizesAreOneNumberOrTwo) {
  EXPECT_EQ(parse_size("").width, 0);
  EXPECT_EQ(parse_size("512").height, 512);
  EXPECT_EQ(parse_size("640x512").width, 640);
  EXPECT_EQ(parse_size("640x512").height, 512);
  for (const char* text :
       {"x512", "512x", "0", "-8", "512x512x512", "big", "512 512", "99999999999999999999"}) {
    GenerateOptions options = good_options();
    options.size = text;
    expect_usage_error(options, "--size");
  }
}

}  // namespace
}  // namespace dd::generate
