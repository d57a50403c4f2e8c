// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dd {

/// Variables of a MATLAB file (level 5, compressed or not), as data sets keep their lists in.
class MatFile {
 public:
  /// Error(kInput) when the file is missing, larger than 256 MiB or no MATLAB file.
  explicit MatFile(std::filesystem::path path);
  ~MatFile();
  MatFile(const MatFile&) = delete;
  MatFile& operator=(const MatFile&) = delete;

  /// An array of whole numbers of any shape and number type, column by column.
  std::vector<std::int64_t> numbers(const std::string& name) const;

  /// A cell array of texts.
  std::vector<std::string> texts(const std::string& name) const;

  /// Fields of an array of structures: for each field asked for, one value an element. Numbers are
  /// given as text. Each call reads the variable once.
  std::map<std::string, std::vector<std::string>> fields(
      const std::string& name, const std::vector<std::string>& wanted) const;

  // Error(kInput) of these names file and variable: it is missing, of another kind, damaged, or has
  // more than ten million elements.

 private:
  struct Handle;
  std::filesystem::path path_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace dd
