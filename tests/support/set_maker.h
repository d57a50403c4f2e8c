// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/seeds.h"
#include "dd/image/image.h"
#include "support/hostile_bytes.h"

// Files as data sets are distributed in, in small: JPEG, MATLAB, tar.
namespace dd::test {

/// Writes a file, and its folders, without waiting for the disk as write_file_atomically does, and
/// as ext4 does where an old file is overwritten: that would take longer than the tests.
inline void put(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A picture of noise that differs from one seed to the next.
inline Image noise_picture(std::uint64_t seed, int width = 12, int height = 10) {
  Random random(seed * 7919 + 1);
  Image image = make_image(width, height);
  for (std::uint8_t& level : image.rgb) level = static_cast<std::uint8_t>(random.below(256));
  return image;
}

inline std::string jpeg_bytes(const Image& image) {
  tjhandle handle = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(handle, image.rgb.data(), image.width, 0, image.height, TJPF_RGB,
                                 &bytes, &size, TJSAMP_444, 90, 0);
  std::string result(reinterpret_cast<const char*>(bytes), failed == 0 ? size : 0);
  tjFree(bytes);
  tjDestroy(handle);
  if (failed != 0) throw std::runtime_error("cannot write a JPEG");
  return result;
}

/// Writes a JPEG whose content follows from its path.
inline void write_jpeg(const std::filesystem::path& path) {
  const std::string name = path.filename().string() + path.parent_path().filename().string();
  put(path, jpeg_bytes(noise_picture(std::hash<std::string>{}(name) % 100000)));
}

/// Writes a MATLAB file (level 5) variable by variable, compressed as the data sets' own files are.
class MatWriter {
 public:
  explicit MatWriter(std::filesystem::path path) : path_(std::move(path)) {
    bytes_ = "MATLAB 5.0 MAT-file";
    bytes_.resize(124, ' ');
    bytes_ += std::string("\0\1IM", 4);
  }
  ~MatWriter() { put(path_, bytes_); }
  MatWriter(const MatWriter&) = delete;
  MatWriter& operator=(const MatWriter&) = delete;

  void add_numbers(const std::string& name, const std::vector<double>& values) {
    add(numbers(name, values));
  }
  void add_texts(const std::string& name, const std::vector<std::string>& texts) {
    std::string cells;
    for (const std::string& value : texts) cells += text("", value);
    add(matrix(1, texts.size(), name, cells));
  }
  /// An array of structures with a text field and a numeric one.
  void add_structs(const std::string& name, const std::string& text_field,
                   const std::string& number_field,
                   const std::vector<std::pair<std::string, double>>& values) {
    std::string content = element(5, low_first(32, 4));
    std::string names = text_field;
    names.resize(32);
    names += number_field;
    names.resize(64);
    content += element(1, names);
    for (const auto& [value, number] : values) {
      content += text("", value) + numbers("", {number});
    }
    add(matrix(2, values.size(), name, content));
  }

 private:
  static std::string element(std::uint32_t type, std::string data) {
    std::string tag = low_first(type, 4) + low_first(data.size(), 4);
    data.resize((data.size() + 7) / 8 * 8);
    return tag + data;
  }
  static std::string matrix(std::uint32_t kind, std::size_t count, const std::string& name,
                            const std::string& content) {
    return element(14, element(6, low_first(kind, 8)) +
                           element(5, low_first(1, 4) + low_first(count, 4)) + element(1, name) +
                           content);
  }
  static std::string numbers(const std::string& name, const std::vector<double>& values) {
    std::string data;
    for (const double value : values) data += low_first(std::bit_cast<std::uint64_t>(value), 8);
    return matrix(6, values.size(), name, element(9, data));
  }
  static std::string text(const std::string& name, const std::string& value) {
    return matrix(4, value.size(), name, element(16, value));
  }
  void add(const std::string& variable) {
    uLongf size = compressBound(variable.size());
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size,
             reinterpret_cast<const Bytef*>(variable.data()), variable.size());
    packed.resize(size);
    bytes_ += low_first(15, 4) + low_first(size, 4) + packed;
  }
  std::filesystem::path path_;
  std::string bytes_;
};

/// Writes a tar archive of the members given, in order.
inline void write_tar(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& members) {
  std::filesystem::create_directories(path.parent_path());
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  archive_write_open_filename(out, path.c_str());
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(out, entry);
    archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

}  // namespace dd::test
