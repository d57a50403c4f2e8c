// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace dd::report {

/// Records of a CSV file (RFC 4180) one by one, so that a file may be longer than memory.
class CsvReader {
 public:
  /// `what` says in messages what the file should be. Error(kInput) when it cannot be read.
  CsvReader(const std::filesystem::path& file, std::string what);

  /// The next record's fields; false at the end of the file. Error(kInput) for quotes that do not
  /// end and for records of over 16 MiB.
  bool next(std::vector<std::string>& fields);

  /// Error(kInput): "FILE: record N PROBLEM; it should be WHAT".
  [[noreturn]] void fail(const char* problem) const;

 private:
  bool take_quoted(std::string& field);

  std::filesystem::path file_;
  std::string what_;
  std::ifstream in_;
  char letter_ = 0;
  std::int64_t record_ = 0;
};

/// A field that is a number and nothing else; the reader's error where it is not.
double number_field(const std::string& text, const CsvReader& reader);

}  // namespace dd::report
