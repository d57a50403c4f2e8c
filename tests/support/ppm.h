// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <sstream>
#include <string>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/image/image.h"

namespace dd::test {

/// A picture that PIL wrote as binary PPM.
inline Image read_ppm(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::istringstream in(bytes);
  std::string magic;
  Image image;
  int most = 0;
  in >> magic >> image.width >> image.height >> most;
  ensure(magic == "P6" && most == 255, "an oracle picture is no PPM file");
  const std::string pixels = bytes.substr(static_cast<std::size_t>(in.tellg()) + 1);
  image.rgb.assign(pixels.begin(), pixels.end());
  return image;
}

}  // namespace dd::test
