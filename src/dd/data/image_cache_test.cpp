// SPDX-License-Identifier: Apache-2.0
#include "dd/data/image_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/data/parallel.h"
#include "dd/image/write.h"
#include "support/temporary_folder.h"

namespace {

class ImageCacheTest : public testing::Test {
 protected:
  std::shared_ptr<const dd::Dataset> make_set(int count) const {
    for (int i = 0; i < count; ++i) {
      const auto level = static_cast<std::uint8_t>(i);
      dd::write_png(folder_.path() / "a" / dd::cat(1000 + i, ".png"),
                    dd::make_image(30 + i % 5, 20, level));
    }
    return dd::open_dataset({"folder", folder_.path()}, "train");
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

  dd::NullReporter reporter;
  dd::CancelToken cancel;
  dd::Context context{reporter, cancel};

 private:
  const dd::test::TemporaryFolder folder_;
};

TEST_F(ImageCacheTest, HoldsEveryImageInItsPlaceForAnyThreadCount) {
  const auto set = make_set(40);
  for (const std::int64_t threads : {1, 3, 100}) {
    dd::CacheOptions options;
    options.short_side = 10;
    options.threads = threads;
    for (const char* file : {"", "cache"}) {
      options.file = *file ? folder() / "made" / file : "";
      const dd::ImageCache cache(set, options, context);
      ASSERT_EQ(cache.size(), 40);
      for (std::int64_t i = 0; i < 40; ++i) {
        EXPECT_EQ(cache.image(i), dd::make_image(10, 10, static_cast<std::uint8_t>(i)));
        EXPECT_EQ(cache.id(i), set->id(i));
      }
      EXPECT_FALSE(std::filesystem::exists(folder() / "made" / "cache")) << "nothing is left over";
    }
  }
}

TEST_F(ImageCacheTest, KeepsShapeAndSizeWhenAsked) {
  const auto set = make_set(3);
  dd::CacheOptions options;
  options.short_side = 10;
  options.square = false;
  EXPECT_EQ(dd::ImageCache(set, options, context).image(2).width, 16);
  options.short_side = 0;
  EXPECT_EQ(dd::ImageCache(set, options, context).image(2), set->image(2));
  options.file = folder() / "cache";
  const dd::ImageCache mapped(set, options, context);
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(mapped.image(i), set->image(i));
}

TEST_F(ImageCacheTest, AFileThatCannotBeMadeIsNamed) {
  const auto set = make_set(1);
  dd::CacheOptions options;
  options.file = folder() / "a";  // a folder
  try {
    const dd::ImageCache refused(set, options, context);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kResource);
    EXPECT_NE(std::string(error.what()).find(options.file.string()), std::string::npos);
  }
}

TEST_F(ImageCacheTest, StopsAtTheMemoryLimitAndWhenCancelled) {
  const auto set = make_set(10);
  constexpr std::int64_t kImage = std::int64_t{10} * 10 * 3;
  dd::CacheOptions options;
  options.short_side = 10;
  options.max_bytes = 9 * kImage;
  try {
    const dd::ImageCache refused(set, options, context);
    FAIL();
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kResource);
  }
  options.max_bytes = 10 * kImage;
  EXPECT_NO_THROW(dd::ImageCache(set, options, context));
  cancel.request();
  EXPECT_THROW(dd::ImageCache(set, options, context), dd::Error);
}

TEST_F(ImageCacheTest, DamagedImagesAreNamed) {
  make_set(12);
  dd::write_file_atomically(folder() / "a" / "1004.png", "not a picture");
  const std::string bytes = dd::read_file(folder() / "a" / "1007.png");
  dd::write_file_atomically(folder() / "a" / "1007.png", bytes.substr(0, bytes.size() / 2));
  const auto set = dd::open_dataset({"folder", folder()}, "train");

  const auto damaged = dd::find_damaged(*set, 2, context);
  ASSERT_EQ(damaged.size(), 2U);
  EXPECT_EQ(damaged[0].index, 4);
  EXPECT_EQ(damaged[1].index, 7);
  EXPECT_NE(damaged[1].problem.find("1007.png"), std::string::npos) << damaged[1].problem;

  const std::shared_ptr<const dd::Dataset> shared = dd::open_dataset({"folder", folder()}, "train");
  dd::CacheOptions options;
  options.threads = 4;
  for (int i = 0; i < 20; ++i) {
    try {
      const dd::ImageCache refused(shared, options, context);
      FAIL();
    } catch (const dd::Error& error) {
      // Whichever thread was first, the first damaged image is the one to name.
      EXPECT_NE(std::string(error.what()).find("1004.png"), std::string::npos) << error.what();
    }
  }
}

TEST(ForEachParallel, CallsEachIndexOnce) {
  dd::NullReporter reporter;
  const dd::CancelToken cancel;
  for (const std::int64_t count : {0, 1, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
    dd::for_each_parallel(count, 4, {reporter, cancel}, "count",
                          [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
    for (const auto& value : calls) EXPECT_EQ(value.load(), 1);
  }
}

}  // namespace
