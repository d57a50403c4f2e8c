// SPDX-License-Identifier: Apache-2.0
#include "dd/report/csv_reader.h"

#include <charconv>

#include "dd/core/error.h"

namespace dd::report {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{1} << 24;

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& file, std::string what)
    : file_(file), what_(std::move(what)), in_(file, std::ios::binary) {
  if (!in_) fail_input(cat("cannot read ", file.string(), "; check the path"));
}

bool CsvReader::next(std::vector<std::string>& fields) {
  fields.assign(1, "");
  ++record_;
  if (in_.peek() == std::ifstream::traits_type::eof()) return false;
  bool quoted = false;
  for (std::size_t length = 0; in_.get(letter_); ++length) {
    if (length > kLongestRecord) fail("is too long");
    if (quoted) {
      quoted = take_quoted(fields.back());
    } else if (letter_ == '"' && fields.back().empty()) {
      quoted = true;
    } else if (letter_ == ',') {
      fields.emplace_back();
    } else if (letter_ == '\n') {
      return true;
    } else if (letter_ != '\r') {
      fields.back() += letter_;
    }
  }
  if (quoted) fail("ends inside quotes");
  return true;
}

/// Whether the field goes on.
bool CsvReader::take_quoted(std::string& field) {
  if (letter_ == '"') {
    if (in_.peek() != '"') return false;
    in_.get();
  }
  field += letter_;
  return true;
}

void CsvReader::fail(const char* problem) const {
  fail_input(cat(file_.string(), ": record ", record_, " ", problem, "; it should be ", what_));
}

double number_field(const std::string& text, const CsvReader& reader) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) reader.fail("holds something else than numbers");
  return value;
}

}  // namespace dd::report
