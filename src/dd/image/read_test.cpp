// SPDX-License-Identifier: Apache-2.0
#include "dd/image/read.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <filesystem>
#include <vector>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/write.h"

namespace {

namespace fs = std::filesystem;

// The files that PIL and tools/oracle/image.py wrote: PNG, JPEG and WebP of every kind.
std::vector<fs::path> sample_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(DD_SOURCE_DIR) / "tests/oracle/image")) {
    const std::string type = entry.path().extension().string();
    if (type == ".png" || type == ".jpg" || type == ".webp") files.push_back(entry.path());
  }
  return files;
}

// Empty when `bytes` decode; the error's text otherwise. Anything but Error(kInput) fails the test.
std::string decoding_error(std::string_view bytes, const dd::ReadOptions& options = {}) {
  try {
    dd::decode_image(bytes, "sample.img", options);
    return {};
  } catch (const dd::Error& error) {
    EXPECT_EQ(error.kind(), dd::ErrorKind::kInput) << error.what();
    EXPECT_NE(std::string(error.what()).find("sample.img"), std::string::npos) << error.what();
    return error.what();
  }
}

TEST(ReadImage, EveryTruncationIsAnError) {
  const std::vector<fs::path> files = sample_files();
  ASSERT_GT(files.size(), 30U);
  for (const fs::path& file : files) {
    const std::string bytes = dd::read_file(file);
    ASSERT_EQ(decoding_error(bytes), "") << file;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_NE(decoding_error(std::string_view(bytes).substr(0, size)), "")
          << file << " cut to " << size << " of " << bytes.size() << " bytes";
    }
  }
}

TEST(ReadImage, NoChangedByteDoesMoreThanFail) {
  for (const fs::path& file : sample_files()) {
    const std::string bytes = dd::read_file(file);
    // Building a colour transform takes milliseconds: there, a sample of the bytes is enough.
    const bool slow = file.filename().string().find("profile") != std::string::npos;
    for (std::size_t at = 0; at < bytes.size(); at += slow ? 131 : 1) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x55);
      // A claimed size near the limit is legal; a lower limit keeps the test quick.
      decoding_error(changed, {.as_transformers = false, .max_pixels = 100'000});
    }
  }
}

TEST(ReadImage, PngChecksumsAreChecked) {
  std::string bytes = dd::encode_png(dd::make_image(9, 9, 77));
  bytes[bytes.size() - 20] = static_cast<char>(bytes[bytes.size() - 20] ^ 1);
  EXPECT_NE(decoding_error(bytes).find("PNG"), std::string::npos);
}

TEST(ReadImage, ClaimedSizeIsCheckedBeforeDecoding) {
  const fs::path folder = fs::path(DD_SOURCE_DIR) / "tests/oracle/image";
  for (const char* name : {"rgb8.png", "rgb-444.jpg", "lossy.webp", "lossless.webp"}) {
    const std::string text =
        decoding_error(dd::read_file(folder / name), {.max_pixels = 23 * 17 - 1});
    EXPECT_NE(text.find("23x17"), std::string::npos) << name << ": " << text;
  }
}

// The sample with another size in its header; where the format has a check sum, that is mended.
std::string claiming(std::string bytes, int width, int height) {
  const auto put = [&](std::size_t at, int value, int count, bool high_first) {
    for (int i = 0; i < count; ++i) {
      const int shift = 8 * (high_first ? count - 1 - i : i);
      bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> shift & 255);
    }
  };
  if (bytes.starts_with("\x89PNG")) {
    put(16, width, 4, true);
    put(20, height, 4, true);
    const auto* header = reinterpret_cast<const Bytef*>(bytes.data() + 12);
    put(29, static_cast<int>(crc32(0, header, 17)), 4, true);
  } else if (bytes.starts_with("\xff\xd8")) {
    const std::size_t frame = bytes.find("\xff\xc0");
    put(frame + 5, height, 2, true);
    put(frame + 7, width, 2, true);
  } else {
    const std::size_t frame = bytes.find("\x9d\x01\x2a");
    put(frame + 3, width, 2, false);
    put(frame + 5, height, 2, false);
  }
  return bytes;
}

// Allocations beyond the limit fail as long as it lives.
class LowMemory {
 public:
  explicit LowMemory(rlim_t bytes) {
    ::getrlimit(RLIMIT_DATA, &old_);
#ifdef __SANITIZE_ADDRESS__
    static_cast<void>(bytes);  // The sanitizer takes terabytes of addresses for itself.
#else
    rlimit low = old_;
    low.rlim_cur = bytes;
    ::setrlimit(RLIMIT_DATA, &low);
#endif
  }
  ~LowMemory() {
    ::setrlimit(RLIMIT_DATA, &old_);
  }
  LowMemory(const LowMemory&) = delete;
  LowMemory& operator=(const LowMemory&) = delete;

 private:
  rlimit old_{};
};

TEST(ReadImage, SixtyThousandPixelsASideAreRefusedBeforeAllocation) {
  const fs::path folder = fs::path(DD_SOURCE_DIR) / "tests/oracle/image";
  // WebP has 14 bits for a side.
  for (const auto& [name, side] :
       {std::pair("rgb8.png", 60'000), {"rgb-444.jpg", 60'000}, {"lossy.webp", 16'000}}) {
    const std::string bytes = claiming(dd::read_file(folder / name), side, side);
    std::string text;
    {
      const LowMemory low(rlim_t{512} << 20);  // a tenth of what the pixels would take, or less
      text = decoding_error(bytes);
    }
    EXPECT_NE(text.find(dd::cat("claims ", side, "x", side, " pixels")), std::string::npos)
        << name << ": " << text;
  }
  // Frame headers that contradict each other cannot bring another size past the check.
  const std::string small = dd::read_file(folder / "rgb-444.jpg");
  const std::string large = claiming(small, 60'000, 60'000);
  const std::size_t frame = small.find("\xff\xc0");
  const std::string two = large.substr(0, frame + 19) + small.substr(frame);
  EXPECT_NE(decoding_error(two), "");
}

TEST(ReadImage, OtherFormatsAreNamedAsSuch) {
  EXPECT_NE(decoding_error("GIF89a\x01\x02").find("neither PNG"), std::string::npos);
  EXPECT_NE(decoding_error("").find("empty"), std::string::npos);
  EXPECT_THROW(dd::read_image("no/such/file.png"), dd::Error);
}

}  // namespace
