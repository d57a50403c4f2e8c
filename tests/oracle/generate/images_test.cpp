// SPDX-License-Identifier: Apache-2.0
// Whole images against diffusers' StableDiffusionPipeline; tools/oracle/pipeline.py made them.
#include <gtest/gtest.h>

#include <algorithm>

#include "dd/core/json.h"
#include "dd/generate/generate.h"
#include "dd/image/read.h"
#include "support/oracle.h"
#include "support/same_picture.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

GenerateOptions options_of(const Json& run) {
  GenerateOptions options;
  options.model = test::oracle_path("models") / run.at("model").get<std::string>();
  options.prompt = run.at("prompt").get<std::string>();
  options.count = static_cast<std::int64_t>(run.at("seeds").size());
  options.sampler = run.at("sampler").get<std::string>();
  options.steps = run.at("steps").get<std::int64_t>();
  options.guidance = run.at("guidance").get<double>();
  options.negative = run.value("negative", "");
  if (run.contains("width")) options.size = cat(run.at("width"), "x", run.at("height"));
  if (run.contains("lora")) {
    const std::string folder = run.at("lora").get<std::string>();
    options.lora = {cat(test::oracle_path("lora/" + folder).string(), ":", run.at("scale"))};
  }
  return options;
}

/// Draws with this batch size and reads the files back.
std::vector<Image> draw(const Json& run, std::int64_t batch) {
  const test::TemporaryFolder folder;
  GenerateOptions options = options_of(run);
  options.batch = batch;
  CommonOptions common;
  common.device = "cpu";
  common.out = folder.path() / "set";
  NullReporter report;
  const CancelToken cancel;
  Context context{report, cancel};
  run_generate(options, common, context);
  std::vector<Image> images;
  for (std::int64_t i = 0; i < options.count; ++i) {
    images.push_back(read_image(common.out / cat("0000", i, ".png")));
  }
  return images;
}

class GeneratedImages : public ::testing::TestWithParam<std::size_t> {};

TEST_P(GeneratedImages, EqualThoseOfDiffusers) {
  const Json runs = read_json(test::oracle_path("generate/images.json"));
  ASSERT_EQ(runs.size(), 11u);
  const Json& run = runs.at(GetParam());
  SCOPED_TRACE(run.dump());
  const std::vector<Image> images = draw(run, 1);
  for (std::size_t i = 0; i < images.size(); ++i) {
    SCOPED_TRACE(cat("seed ", i));
    const std::string name = cat("generate/", GetParam(), "-", i, ".png");
    test::expect_same_picture(images[i], read_image(test::oracle_path(name)));
  }
}

INSTANTIATE_TEST_SUITE_P(AllRuns, GeneratedImages,
                         ::testing::Range(std::size_t{0}, std::size_t{11}));

TEST(GeneratedImages, DoNotDependOnTheBatchSize) {
  const Json runs = read_json(test::oracle_path("generate/images.json"));
  for (const std::size_t number : {1u, 7u}) {
    const std::vector<Image> alone = draw(runs.at(number), 1);
    const std::vector<Image> together = draw(runs.at(number), 5);
    ASSERT_EQ(alone.size(), 5u);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      const std::vector<int> gaps = test::differences(alone[i], together[i]);
      EXPECT_LE(*std::max_element(gaps.begin(), gaps.end()), 1) << number << " " << i;
    }
  }
}

}  // namespace
}  // namespace dd::generate
