// SPDX-License-Identifier: Apache-2.0
#include "dd/io/fingerprint.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "dd/core/error.h"
#include "dd/core/files.h"

namespace dd::io {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t kWhole = std::uintmax_t{32} << 20;
constexpr std::uintmax_t kFront = std::uintmax_t{1} << 20;
constexpr std::uintmax_t kBlock = std::uintmax_t{16} << 10;
constexpr std::uintmax_t kBlocks = 256;

std::string content_hash(const fs::path& file, std::uintmax_t size) {
  if (size <= kWhole) return sha256_of_file(file);
  std::ifstream in(file, std::ios::binary);
  std::string sample(static_cast<std::size_t>(kFront + kBlocks * kBlock), '\0');
  in.read(sample.data(), static_cast<std::streamsize>(kFront));
  for (std::uintmax_t i = 0; i < kBlocks; ++i) {
    in.seekg(static_cast<std::streamoff>((size - kBlock) / (kBlocks - 1) * i));
    in.read(sample.data() + kFront + i * kBlock, static_cast<std::streamsize>(kBlock));
  }
  if (!in) fail_input(cat("reading ", file.string(), " failed; fetch the file again"));
  return sha256_of(sample);
}

}  // namespace

std::string fingerprint(std::span<const fs::path> files) {
  std::string text;
  for (const fs::path& file : files) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (error)
      fail_input(cat("cannot read ", file.string(), ": ", error.message(), "; check the path"));
    text += cat(file.filename().string(), ' ', size, ' ', content_hash(file, size), '\n');
  }
  return sha256_of(text);
}

std::string fingerprint_of_model(const fs::path& path) {
  if (!path_is_folder(path)) return fingerprint(std::vector<fs::path>{path});
  static const std::set<std::string> kEndings{".safetensors", ".bin", ".ckpt", ".pt", ".json"};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && kEndings.contains(entry.path().extension()))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return fingerprint(files);
}

}  // namespace dd::io
