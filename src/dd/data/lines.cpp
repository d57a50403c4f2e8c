// SPDX-License-Identifier: Apache-2.0
#include "dd/data/lines.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/core/files.h"
#include "dd/core/utf8.h"

namespace dd {

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

LineParts split_at_blank(std::string_view text) {
  const std::size_t blank = text.find_first_of(" \t");
  if (blank == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, blank)), trimmed(text.substr(blank))};
}

std::string padded(std::int64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

std::vector<Line> read_lines(const std::filesystem::path& path) {
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;
  const std::string content = read_file(path, kMaxBytes);
  std::string_view rest = content;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  std::vector<Line> lines;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string text = trimmed(rest.substr(0, end));
    if (!text.empty()) lines.push_back({std::move(text), number});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

void check_utf8(const Line& line, const std::filesystem::path& path) {
  if (is_utf8(line.text)) return;
  fail_input(cat(path.string(), ", line ", line.number, ": \"", escaped_bytes(line.text),
                 "\" is not UTF-8; save the file as UTF-8, and rename a folder that is called so"));
}

}  // namespace dd
