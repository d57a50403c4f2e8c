// SPDX-License-Identifier: Apache-2.0
#include "dd/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "dd/core/error.h"

namespace dd {
namespace fs = std::filesystem;
namespace {

// Two gigabytes of pixels: far above the sets that come as IDX, low enough to refuse nonsense.
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 31;

fs::path existing(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  fs::path other = path;
  if (path.extension() == ".gz") {
    other.replace_extension();
  } else {
    other += ".gz";
  }
  if (fs::is_regular_file(other, error)) return other;
  fail_input(cat("cannot read ", path.string(),
                 ": no such file, neither plain nor with .gz; check ",
                 "the folder of the data set"));
}

// gzread passes plain files through, so one reader serves both.
class IdxFile {
 public:
  explicit IdxFile(const fs::path& path)
      : path_(existing(path)), file_(gzopen(path_.c_str(), "rb"), &gzclose) {
    if (!file_) fail_input(cat("cannot open ", path_.string(), "; check its permissions"));
  }

  void read(std::uint8_t* to, std::int64_t size) {
    while (size > 0) {
      const auto part = static_cast<unsigned>(std::min<std::int64_t>(size, 1 << 24));
      const int got = gzread(file_.get(), to, part);
      if (got <= 0) damaged(got == 0 ? "it ends early" : "its compressed data are broken");
      to += got;
      size -= got;
    }
  }

  /// After the last value: nothing may follow, and gzip's own check sum must hold.
  void expect_end() {
    std::uint8_t extra = 0;
    const int got = gzread(file_.get(), &extra, 1);
    if (got > 0) damaged("more bytes follow than its header announces");
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (got < 0 || code != Z_OK) damaged("its compressed data are broken");
  }

  [[noreturn]] void damaged(const std::string& why) const {
    fail_input(cat("cannot read ", path_.string(), ": ", why, "; fetch the file again"));
  }

  std::uint32_t read_number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes.data(), 4);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
           std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
  }

 private:
  fs::path path_;
  std::unique_ptr<gzFile_s, decltype(&gzclose)> file_;
};

// Reads the magic number (two zeros, 8 for unsigned bytes, the number of dimensions) and the sizes.
std::vector<std::int64_t> read_header(IdxFile& file, std::uint32_t dimensions) {
  if (file.read_number() != (0x0800U | dimensions)) {
    file.damaged(cat("it is not an IDX file of unsigned bytes with ", dimensions, " dimension",
                     dimensions == 1 ? "" : "s"));
  }
  std::vector<std::int64_t> sizes;
  std::int64_t total = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    sizes.push_back(file.read_number());
    if (sizes.back() == 0 || total > kMaxBytes / sizes.back()) {
      file.damaged("its header announces an impossible size");
    }
    total *= sizes.back();
  }
  return sizes;
}

// Grows as data arrive: a header that lies costs no more memory than the file really holds.
std::vector<std::uint8_t> read_body(IdxFile& file, std::int64_t total) {
  constexpr std::int64_t kStep = std::int64_t{1} << 24;
  std::vector<std::uint8_t> values;
  for (std::int64_t done = 0; done < total;) {
    const std::int64_t part = std::min(kStep, total - done);
    values.resize(static_cast<std::size_t>(done + part));
    file.read(values.data() + done, part);
    done += part;
  }
  file.expect_end();
  return values;
}

}  // namespace

IdxImages read_idx_images(const fs::path& path) {
  IdxFile file(path);
  const std::vector<std::int64_t> sizes = read_header(file, 3);
  if (sizes[1] > std::numeric_limits<int>::max() || sizes[2] > std::numeric_limits<int>::max()) {
    file.damaged("its header announces an impossible size");
  }
  return {sizes[0], sizes[1], sizes[2], read_body(file, sizes[0] * sizes[1] * sizes[2])};
}

std::vector<std::uint8_t> read_idx_labels(const fs::path& path) {
  IdxFile file(path);
  const std::vector<std::int64_t> sizes = read_header(file, 1);
  return read_body(file, sizes[0]);
}

}  // namespace dd
