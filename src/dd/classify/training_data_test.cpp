// SPDX-License-Identifier: Apache-2.0
#include "dd/classify/training_data.h"

#include "support/classifier_case.h"

namespace dd::classify {
namespace {

class TrainingDataTest : public test::ClassifierCase {
 protected:
  TrainingData cached(std::int64_t memory) {
    TrainOptions options = both();
    options.val = photos();
    TrainingData data = find_training_data(options, common_, context_);
    Preprocess preprocess;
    preprocess.size = preprocess.resize_to = 8;
    cache_images(data, preprocess,
                 {.augmented = true, .threads = 2, .folder = root() / "out", .memory = memory},
                 context_);
    return data;
  }
};

TEST_F(TrainingDataTest, WhatMemoryDoesNotHoldIsMappedAndTheSame) {
  const TrainingData in_memory = cached(std::int64_t{1} << 30);
  EXPECT_FALSE(std::filesystem::exists(root() / "out"));
  const TrainingData mapped = cached(1);
  EXPECT_TRUE(std::filesystem::is_empty(root() / "out")) << "the file has no name any more";
  for (const auto& [a, b] : {std::pair(&in_memory.real, &mapped.real),
                             {&in_memory.synthetic, &mapped.synthetic},
                             {&in_memory.validation, &mapped.validation}}) {
    ASSERT_EQ(a->size(), b->size());
    ASSERT_GT(a->size(), 0);
    for (std::int64_t i = 0; i < a->size(); ++i)
      EXPECT_EQ(a->images->image(i), b->images->image(i));
  }
}

}  // namespace
}  // namespace dd::classify
