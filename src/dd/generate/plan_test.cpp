// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/plan.h"

#include <gtest/gtest.h>

#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

Plan class_plan(const std::string& list, std::uint64_t seed, std::int64_t each = 4) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "classes.txt", list);
  GenerateOptions options;
  options.classes = (folder.path() / "classes.txt").string();
  options.per_class = each;
  return make_plan(options, seed);
}

TEST(Plan, PromptImagesCountUpFromTheSeed) {
  GenerateOptions options;
  options.prompt = "a cat";
  options.count = 3;
  const Plan plan = make_plan(options, 40);
  EXPECT_EQ(plan.total(), 3);
  EXPECT_EQ(plan.image(0, 2).seed, 42u);
  EXPECT_EQ(plan.image(0, 2).file, "00002.png");
  EXPECT_FALSE(plan.labelled);
}

TEST(Plan, ClassesGetFolderPromptAndLabel) {
  const Plan plan = class_plan("# ten of them\nT-shirt/top\n  ankle_boot \r\n\ncoat\n", 0);
  ASSERT_EQ(plan.subjects.size(), 3u);
  EXPECT_EQ(plan.subjects[0].name, "T-shirt/top");
  EXPECT_EQ(plan.subjects[0].folder, "T-shirt_top");
  EXPECT_EQ(plan.subjects[1].prompt, "a photo of a ankle boot");
  EXPECT_EQ(plan.image(2, 1).file, "coat/00001.png");
  EXPECT_EQ(plan.image(2, 1).subject, 2u);
  EXPECT_EQ(plan.total(), 12);
}

TEST(Plan, FilesTellWhatNumberTheyAre) {
  for (const std::int64_t number : {0, 7, 99'999, 100'000}) {
    EXPECT_EQ(image_number(class_plan("cat\n", 0).image(0, number).file.substr(4)), number);
  }
  for (const char* other : {"", "7.png", "00007.PNG", "00007.png.tmp1-2", "-0007.png", "x0007.png",
                            "000007.png", "99999999999999999999.png"}) {
    EXPECT_EQ(image_number(other), -1) << other;
  }
}

TEST(Plan, NoTwoImagesOfASetShareNoise) {
  const Plan plan = class_plan("cat\ndog\nbag\n", 7, 50);
  std::set<std::uint64_t> seeds;
  for (std::size_t subject = 0; subject < 3; ++subject) {
    for (std::int64_t i = 0; i < 50; ++i) seeds.insert(plan.image(subject, i).seed);
  }
  EXPECT_EQ(seeds.size(), 150u);
}

TEST(Plan, AClassKeepsItsImagesInOtherCompany) {
  const Plan all = class_plan("cat\ndog\nbag\n", 7);
  const Plan some = class_plan("bag\n", 7);
  EXPECT_EQ(all.image(2, 3).seed, some.image(0, 3).seed);
  EXPECT_NE(all.image(2, 3).seed, class_plan("bag\n", 8).image(0, 3).seed);
}

TEST(Plan, WrongInputIsRefused) {
  EXPECT_THROW(class_plan("cat\ncat\n", 0), Error);
  EXPECT_THROW(class_plan("# nothing\n", 0), Error);
  GenerateOptions options;
  options.classes = "no/such/place";
  EXPECT_THROW(make_plan(options, 0), Error);
}

}  // namespace
}  // namespace dd::generate
