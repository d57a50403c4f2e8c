// SPDX-License-Identifier: Apache-2.0
#include "dd/core/text_table.h"

#include <algorithm>

namespace dd {
namespace {

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns, bool right) {
  const std::string space(columns > width(text) ? columns - width(text) : 0, ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> columns;
  for (const auto& line : lines) {
    columns.resize(std::max(columns.size(), line.size()), 0);
    for (std::size_t i = 0; i < line.size(); ++i) columns[i] = std::max(columns[i], width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += (i > 0 ? "  " : "") + padded(line[i], columns[i], i > 0);
    }
    text += '\n';
  }
  return text;
}

}  // namespace dd
