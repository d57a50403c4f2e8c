// SPDX-License-Identifier: Apache-2.0
// Compares with PIL: files and pictures of tools/oracle/image.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "dd/core/json.h"
#include "dd/image/read.h"
#include "dd/image/resize.h"
#include "support/ppm.h"

namespace {

namespace fs = std::filesystem;
using dd::test::read_ppm;

const fs::path kFolder = fs::path(DD_SOURCE_DIR) / "tests/oracle/image";

// The largest difference of a value; 256 when the sizes differ.
int difference(const dd::Image& a, const dd::Image& b) {
  if (a.width != b.width || a.height != b.height || a.rgb.size() != b.rgb.size()) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    most = std::max(most, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  }
  return most;
}

TEST(ImageOracle, FilesDecodeToWhatAPersonSees) {
  const dd::Json index = dd::read_json(kFolder / "index.json");
  for (const dd::Json& entry : index.at("decoded")) {
    const std::string name = entry.at("file");
    EXPECT_LE(difference(dd::read_image(kFolder / name), read_ppm(kFolder / (name + ".seen.ppm"))),
              entry.at("tolerance").get<int>())
        << name;
  }
}

TEST(ImageOracle, AsTransformersDecodesWhatPilConverts) {
  const dd::Json index = dd::read_json(kFolder / "index.json");
  dd::ReadOptions options;
  options.as_transformers = true;
  for (const dd::Json& entry : index.at("decoded")) {
    const std::string name = entry.at("file");
    EXPECT_LE(difference(dd::read_image(kFolder / name, options),
                         read_ppm(kFolder / (name + ".plain.ppm"))),
              1)
        << name;
  }
}

TEST(ImageOracle, ResizeEqualsPil) {
  const std::map<std::string, dd::ResizeFilter> filters{{"box", dd::ResizeFilter::kBox},
                                                        {"bilinear", dd::ResizeFilter::kBilinear},
                                                        {"bicubic", dd::ResizeFilter::kBicubic},
                                                        {"lanczos", dd::ResizeFilter::kLanczos}};
  const dd::Image source = read_ppm(kFolder / "resize-source.ppm");
  const dd::Json index = dd::read_json(kFolder / "index.json");
  for (const dd::Json& entry : index.at("resized")) {
    const std::string name = entry.at("file");
    const dd::Image ours = dd::resize(source, entry.at("width"), entry.at("height"),
                                      filters.at(entry.at("filter").get<std::string>()));
    EXPECT_EQ(difference(ours, read_ppm(kFolder / name)), 0) << name;
  }
}

}  // namespace
