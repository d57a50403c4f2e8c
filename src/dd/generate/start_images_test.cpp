// SPDX-License-Identifier: Apache-2.0
#include "dd/generate/start_images.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/shots.h"
#include "dd/generate/plan.h"
#include "support/small_photos.h"
#include "support/temporary_folder.h"

namespace dd::generate {
namespace {

class StartImagesTest : public testing::Test {
 protected:
  StartImagesTest() { test::write_photos(photos(), {"bag", "coat"}, 3, 20, 12); }

  std::filesystem::path photos() const { return folder_.path() / "photos"; }
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    write_file_atomically(folder_.path() / name, text);
    return folder_.path() / name;
  }

  test::TemporaryFolder folder_;
};

TEST_F(StartImagesTest, TakesTheShotsOfAnEarlierDraw) {
  const auto images = open_dataset({"folder", photos()}, "train");
  ShotRecord record{
      .data = photos().string(), .split = "train", .seed = 3, .shots = 2, .indices = {}};
  record.indices = draw_shots(*images, 2, 3);
  const auto shots = folder_.path() / "shots.json";
  write_shots(shots, *images, record);
  // The order of the names given, which need not be all.
  const StartImages starts = StartImages::open(shots.string(), {}, {"coat", "bag"});
  ASSERT_EQ(starts.of_class(0).size(), 2);
  EXPECT_EQ(starts.of_class(0)[0].id, images->id(record.indices[2]));
  EXPECT_EQ(starts.of_class(1)[1].id, images->id(record.indices[1]));
  EXPECT_EQ(StartImages::open(photos().string(), {}, {"bag"}).of_class(0).size(), 3);
  EXPECT_THROW(StartImages::open(shots.string(), {}, {"bag", "shoe"}), Error);
}

TEST_F(StartImagesTest, CutsTheMiddleOfTheCoveringPicture) {
  const StartImages starts = StartImages::open(photos().string(), {}, {"bag"});
  const StartImage& start = starts.of_class(0)[0];
  const Image whole = starts.picture(start, 20, 12);
  const Image middle = starts.picture(start, 12, 12);
  ASSERT_EQ(middle.width, 12);
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 12; ++x) {
      ASSERT_EQ(*middle.pixel(x, y), *whole.pixel(x + 4, y));
    }
  }
  const Image larger = starts.picture(start, 64, 64);
  EXPECT_EQ(larger.width, 64);
  EXPECT_EQ(larger.height, 64);
}

TEST_F(StartImagesTest, PicturesAndTheirCaptionsTakeTurns) {
  const auto captions = file("captions.jsonl",
                             "{\"id\": \"bag/0.png\", \"caption\": \"a red {}\"}\n\n"
                             "{\"id\": \"bag/0.png\", \"caption\": \"leather\"}\n");
  GenerateOptions options;
  options.classes = photos().string();
  options.from_shots = photos().string();
  options.captions = captions;
  const Plan plan = make_plan(options, 0);
  EXPECT_EQ(plan.image(0, 0).prompt, "a red bag");
  EXPECT_EQ(plan.image(0, 1).prompt, "a photo of a bag") << "no caption of its own";
  EXPECT_EQ(plan.image(0, 3).prompt, "leather");
  EXPECT_EQ(plan.image(0, 6).prompt, "a red bag");
  EXPECT_EQ(plan.image(0, 3).start, plan.image(0, 0).start);
  EXPECT_NE(plan.image(0, 1).start, plan.image(0, 0).start);
  EXPECT_EQ(plan.image(1, 2).start->id, "coat/2.png");
  EXPECT_EQ(plan.starts->without_caption(), 5);
  const StartImages plain = StartImages::open(photos().string(), {}, {"bag", "coat"});
  EXPECT_NE(plain.hash(), plan.starts->hash()) << "captions count";
}

TEST_F(StartImagesTest, DamagedCaptionsNameFileAndLine) {
  for (const char* text :
       {"{\"id\": \"a\", \"caption\": \"b\"}\nnot json\n", "\n[1]\n", "\n{\"id\": \"a\"}\n",
        "\n{\"id\": 1, \"caption\": \"b\"}\n", "\n{\"id\": \"a\", \"caption\": null}\n"}) {
    try {
      read_captions(file("captions.jsonl", text));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find("captions.jsonl:2"), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace dd::generate
