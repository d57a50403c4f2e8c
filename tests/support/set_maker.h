// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <matio.h>
#include <turbojpeg.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dd/core/files.h"
#include "dd/core/seeds.h"
#include "dd/image/image.h"

// Files as data sets are distributed in, in small: JPEG, MATLAB, tar.
namespace dd::test {

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
  write_file_atomically(path, jpeg_bytes(noise_picture(std::hash<std::string>{}(name) % 100000)));
}

/// Writes a MATLAB file variable by variable, compressed as the data sets' own files are.
class MatWriter {
 public:
  explicit MatWriter(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    file_ = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    if (file_ == nullptr) throw std::runtime_error("cannot write " + path.string());
  }
  ~MatWriter() { Mat_Close(file_); }
  MatWriter(const MatWriter&) = delete;
  MatWriter& operator=(const MatWriter&) = delete;

  void add_numbers(const char* name, const std::vector<double>& values) {
    add(numbers(name, values));
  }
  void add_texts(const char* name, const std::vector<std::string>& texts) {
    std::size_t dims[2] = {1, texts.size()};
    matvar_t* cell = Mat_VarCreate(name, MAT_C_CELL, MAT_T_CELL, 2, dims, nullptr, 0);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Mat_VarSetCell(cell, static_cast<int>(i), text(nullptr, texts[i]));
    }
    add(cell);
  }
  /// An array of structures with a text field and a numeric one.
  void add_structs(const char* name, const char* text_field, const char* number_field,
                   const std::vector<std::pair<std::string, double>>& values) {
    std::size_t dims[2] = {1, values.size()};
    const char* fields[2] = {text_field, number_field};
    matvar_t* array = Mat_VarCreateStruct(name, 2, dims, fields, 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
      Mat_VarSetStructFieldByName(array, text_field, i, text(nullptr, values[i].first));
      Mat_VarSetStructFieldByName(array, number_field, i, numbers(nullptr, {values[i].second}));
    }
    add(array);
  }

 private:
  static matvar_t* numbers(const char* name, const std::vector<double>& values) {
    std::size_t dims[2] = {1, values.size()};
    return Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims,
                         const_cast<double*>(values.data()), 0);
  }
  static matvar_t* text(const char* name, const std::string& value) {
    std::size_t dims[2] = {1, value.size()};
    return Mat_VarCreate(name, MAT_C_CHAR, MAT_T_UINT8, 2, dims, const_cast<char*>(value.data()),
                         0);
  }
  void add(matvar_t* variable) {
    Mat_VarWrite(file_, variable, MAT_COMPRESSION_ZLIB);
    Mat_VarFree(variable);
  }
  mat_t* file_;
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
