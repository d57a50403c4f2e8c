// SPDX-License-Identifier: Apache-2.0
#include "dd/image/probe.h"

#include <gtest/gtest.h>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/write.h"
#include "support/temporary_folder.h"

namespace dd {
namespace {

using namespace std::string_literals;

class ProbeTest : public ::testing::Test {
 protected:
  ImageHeader probe(const std::string& bytes) const {
    const std::filesystem::path file = folder_.path() / "picture";
    write_file_atomically(file, bytes);
    return probe_image(file);
  }
  std::string refusal(const std::string& bytes) const {
    try {
      probe(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "nothing was wrong";
  }
  dd::test::TemporaryFolder folder_;
};

const std::string kJpeg = "\xff\xd8\xff\xe0\x00\x04xx\xff\xff\xc2\x00\x0b\x08\x00\x05\x00\x07\x03"s;

TEST_F(ProbeTest, ReadsTheHeaderOfEachFormat) {
  write_png(folder_.path() / "a.png", make_image(7, 5));
  const ImageHeader png = probe_image(folder_.path() / "a.png");
  EXPECT_EQ(png.format, "PNG");
  EXPECT_EQ(png.width, 7);
  EXPECT_EQ(png.height, 5);
  const ImageHeader jpeg = probe(kJpeg);
  EXPECT_EQ(jpeg.format, "JPEG");
  EXPECT_EQ(jpeg.width, 7);
  EXPECT_EQ(jpeg.height, 5);
}

TEST_F(ProbeTest, ReadsALosslessWebp) {
  // The five bytes after the signature 0x2f hold width − 1 and height − 1 in 14 bits each.
  const std::string body = "WEBPVP8L\x0a\x00\x00\x00\x2f\x06\x00\x01\x00\x00\x00\x00\x00\x00"s;
  const ImageHeader webp = probe("RIFF"s + static_cast<char>(body.size()) + "\x00\x00\x00"s + body);
  EXPECT_EQ(webp.format, "WebP");
  EXPECT_EQ(webp.width, 7);
  EXPECT_EQ(webp.height, 5);
  EXPECT_NE(refusal("RIFF\x7f\x00\x00\x00"s + body).find("truncated"), std::string::npos);
}

TEST_F(ProbeTest, NamesWhatIsDamaged) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("hello there, this is a text").find("neither"), std::string::npos);
  EXPECT_NE(refusal("\x89PNG\r\n\x1a\n"s).find("PNG header"), std::string::npos);
  for (std::size_t length = 3; length < kJpeg.size() - 1; ++length) {
    EXPECT_NE(refusal(kJpeg.substr(0, length)).find("JPEG header"), std::string::npos) << length;
  }
  EXPECT_NE(refusal("RIFF\x10\x00\x00\x00WEBPVP8L\x00\x00\x00\x00"s).find("WebP"),
            std::string::npos);
  EXPECT_THROW(probe_image(folder_.path() / "none.png"), Error);
}

}  // namespace
}  // namespace dd
