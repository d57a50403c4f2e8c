// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dd {

/// A line of a text file, without white space at its ends.
struct Line {
  std::string text;
  std::int64_t number = 0;  ///< from 1
};

/// The lines of a small text file (at most 256 MiB), empty ones left out, a byte order mark at the
/// front ignored. Error(kInput) names the file when it is missing.
std::vector<Line> read_lines(const std::filesystem::path& path);

/// Error(kInput) unless a line of `path` is UTF-8, as names of classes are; shows its bytes.
void check_utf8(const Line& line, const std::filesystem::path& path);

/// Without blanks, tabs and carriage returns at both ends.
std::string trimmed(std::string_view text);

/// What stands before and after the first blank; the second is empty where there is none.
struct LineParts {
  std::string first;
  std::string rest;
};
LineParts split_at_blank(std::string_view text);

/// A number with zeros in front until it has `digits` digits.
std::string padded(std::int64_t number, std::size_t digits);

}  // namespace dd
