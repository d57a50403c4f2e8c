// SPDX-License-Identifier: Apache-2.0
#include "dd/data/fashion_mnist.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/seeds.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

// Files of the official shape and names with other content: image i begins with the bytes of i, its
// label is i % 10.
void write_part(const fs::path& root, const std::string& prefix, std::uint32_t count) {
  std::string images = number(0x803) + number(count) + number(28) + number(28);
  std::string labels = number(0x801) + number(count);
  images.reserve(std::size_t{count} * 784 + 16);
  for (std::uint32_t i = 0; i < count; ++i) {
    images += number(i);
    images.append(780, static_cast<char>(i % 251));
    labels += static_cast<char>(i % 10);
  }
  dd::write_file_atomically(root / (prefix + "-images-idx3-ubyte"), images);
  dd::write_file_atomically(root / (prefix + "-labels-idx1-ubyte"), labels);
}

class FashionMnistTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<dd::test::TemporaryFolder>();
    write_part(folder_->path(), "train", 60000);
    write_part(folder_->path(), "t10k", 10000);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static const fs::path& root() { return folder_->path(); }

 private:
  static inline std::unique_ptr<dd::test::TemporaryFolder> folder_;
};

TEST_F(FashionMnistTest, SplitsAreTheDocumentedRanges) {
  struct Expected {
    const char* split;
    std::int64_t size;
    const char *first, *last;
  };
  for (const Expected& expected : {Expected{"world", 50000, "train/0", "train/49999"},
                                   {"train", 8000, "train/50000", "train/57999"},
                                   {"val", 2000, "train/58000", "train/59999"},
                                   {"test", 10000, "test/0", "test/9999"},
                                   {"all", 70000, "train/0", "test/9999"}}) {
    const auto dataset = dd::open_fashion_mnist(root(), expected.split);
    ASSERT_EQ(dataset->size(), expected.size) << expected.split;
    EXPECT_EQ(dataset->id(0), expected.first);
    EXPECT_EQ(dataset->id(dataset->size() - 1), expected.last);
    EXPECT_EQ(dataset->num_classes(), 10);
  }
  EXPECT_THROW(dd::open_fashion_mnist(root(), "training"), dd::Error);
}

TEST_F(FashionMnistTest, ImagesAndLabelsBelongToTheirIds) {
  const auto dataset = dd::open_dataset({"fashion-mnist", root()}, "train");
  const dd::Image image = dataset->image(123);  // number 50123 = 0x0000C3CB
  EXPECT_EQ(image.width, 28);
  EXPECT_EQ(image.height, 28);
  for (int channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(image.pixel(2, 0)[channel], 0xC3);
    EXPECT_EQ(image.pixel(3, 0)[channel], 0xCB);
    EXPECT_EQ(image.pixel(27, 27)[channel], 50123 % 251);
  }
  EXPECT_EQ(dataset->label(123), 3);
  EXPECT_EQ(dataset->id(123), "train/50123");
  std::string bytes = number(50123);
  bytes.append(780, static_cast<char>(50123 % 251));
  EXPECT_EQ(dataset->content_hash(123), dd::sha256_of(bytes));
  EXPECT_THROW(dataset->image(8000), dd::Error);
  EXPECT_THROW(dataset->label(-1), dd::Error);
}

TEST_F(FashionMnistTest, FilesOfAnotherSetAreRefused) {
  const dd::test::TemporaryFolder other;
  write_part(other.path(), "train", 100);
  EXPECT_THROW(dd::open_fashion_mnist(other.path(), "train"), dd::Error);
  EXPECT_THROW(dd::open_fashion_mnist(other.path() / "nowhere", "test"), dd::Error);
}

// Where Debian's package is installed, the real files must be what everybody means by the name.
TEST(FashionMnist, InstalledFilesAreTheOfficialOnes) {
  const fs::path root = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(root)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto dataset = dd::open_fashion_mnist(root, "test");
  std::vector<std::int64_t> counts(10);
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    ++counts[static_cast<std::size_t>(dataset->label(i))];
  }
  EXPECT_EQ(counts, std::vector<std::int64_t>(10, 1000));
  EXPECT_EQ(dataset->class_names()[static_cast<std::size_t>(dataset->label(0))], "Ankle boot");
}

}  // namespace
