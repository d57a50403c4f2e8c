// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dd {

/// Variables of a MATLAB file, as data sets keep their lists in. Format: "MAT-File Format", level 5
/// (The MathWorks), little-endian, compressed or not. A reader of our own, because libmatio 1.5.23
/// crashes on damaged cells.
class MatFile {
 public:
  /// Error(kInput) when the file is missing, larger than 256 MiB or no MATLAB file of this level.
  explicit MatFile(std::filesystem::path path);

  // Error(kInput) of these names file and variable: it is missing, of another kind or damaged.
  // Every size is checked against the bytes that are there, and nothing is inflated to more than
  // 64 MiB.

  /// An array of whole numbers of any shape and number type, column by column.
  std::vector<std::int64_t> numbers(const std::string& name) const;

  /// A cell array of texts.
  std::vector<std::string> texts(const std::string& name) const;

  /// Fields of an array of structures: for each field asked for, one value an element. Of arrays of
  /// numbers the first is given, as text.
  std::map<std::string, std::vector<std::string>> fields(
      const std::string& name, const std::vector<std::string>& wanted) const;

 private:
  std::filesystem::path path_;
  std::string bytes_;
};

}  // namespace dd
