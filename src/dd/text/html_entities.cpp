// SPDX-License-Identifier: Apache-2.0
#include "dd/text/html_entities.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "dd/text/unicode.h"

namespace dd {
namespace {

// "name=hex[,hex]" and blanks; made by tools/make_html_entities.py.
constexpr std::string_view kHtml5Entities =
#include "dd/text/html5_entities.inc"
    ;
constexpr std::string_view kCapitalEntities =
#include "dd/text/capital_entities.inc"
    ;

using EntityTable = std::unordered_map<std::string, std::u32string>;

EntityTable parse_entities(std::string_view packed) {
  EntityTable table;
  while (!packed.empty()) {
    const std::string_view entry = packed.substr(0, packed.find(' '));
    packed.remove_prefix(std::min(packed.size(), entry.size() + 1));
    const std::size_t equals = entry.find('=');
    std::u32string value;
    for (const char* at = entry.data() + equals; at != entry.data() + entry.size();) {
      std::uint32_t code = 0;
      at = std::from_chars(at + 1, entry.data() + entry.size(), code, 16).ptr;
      value.push_back(code);
    }
    table.emplace(entry.substr(0, equals), value);
  }
  return table;
}

const std::u32string* find_entity(const EntityTable& table, std::u32string_view name) {
  if (std::any_of(name.begin(), name.end(), [](char32_t c) { return c > 0x7E; })) return nullptr;
  const auto found = table.find(std::string(name.begin(), name.end()));
  return found == table.end() ? nullptr : &found->second;
}

const EntityTable& html5_entities() {
  static const EntityTable table = parse_entities(kHtml5Entities);
  return table;
}

const EntityTable& capital_entities() {
  static const EntityTable table = parse_entities(kCapitalEntities);
  return table;
}

bool is_ascii_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

int hex_value(char32_t c) {
  if (is_ascii_digit(c)) return static_cast<int>(c - U'0');
  if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a') + 10;
  if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A') + 10;
  return -1;
}

std::u32string character_of_number(std::uint32_t code) {
  if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return U"\uFFFD";
  if (code >= 0x80 && code <= 0x9F) return {from_windows_1252(code)};
  const bool control =
      (code < 0x20 && code != '\t' && code != '\n' && code != '\f' && code != '\r') || code == 0x7F;
  const bool noncharacter = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  if (control || noncharacter) return {};
  return {static_cast<char32_t>(code)};
}

struct Reference {
  std::u32string value;
  std::size_t length = 0;  ///< of the reference in the text, `&` included
};

/// `text` starts behind `&#`.
std::optional<Reference> numeric_reference(std::u32string_view text) {
  std::size_t at = 0;
  const bool hex = !text.empty() && (text[0] == U'x' || text[0] == U'X');
  if (hex) at = 1;
  const std::size_t first = at;
  std::uint32_t code = 0;
  for (; at < text.size() && (hex ? hex_value(text[at]) >= 0 : is_ascii_digit(text[at])); ++at) {
    // Any value beyond Unicode gives U+FFFD, so stopping there keeps 32 bits enough.
    code = std::min<std::uint32_t>(
        0x110000, code * (hex ? 16 : 10) + static_cast<std::uint32_t>(hex_value(text[at])));
  }
  if (at == first) return std::nullopt;
  if (at < text.size() && text[at] == U';') ++at;
  return Reference{character_of_number(code), at + 2};
}

/// `text` starts behind `&`.
std::optional<Reference> named_reference(std::u32string_view text) {
  constexpr std::size_t kLongestName = 32;
  constexpr std::u32string_view kEnds = U"\t\n\f <&#;";
  std::size_t length = 0;
  while (length < std::min(text.size(), kLongestName) && kEnds.find(text[length]) == kEnds.npos)
    ++length;
  if (length == 0) return std::nullopt;
  if (length < text.size() && text[length] == U';') ++length;
  for (; length > 1; --length) {
    if (const auto* value = find_entity(html5_entities(), text.substr(0, length))) {
      return Reference{*value, length + 1};
    }
  }
  return std::nullopt;
}

std::optional<Reference> html_reference(std::u32string_view text) {
  if (text.size() > 1 && text[1] == U'#') return numeric_reference(text.substr(2));
  return named_reference(text.substr(1));
}

std::optional<Reference> certain_reference(std::u32string_view text) {
  constexpr std::size_t kLongestName = 24;
  const std::size_t first = text.size() > 1 && text[1] == U'#' ? 2 : 1;
  std::size_t end = first;
  while (end < text.size() && text[end] < 0x80 &&
         (is_ascii_digit(text[end]) || (text[end] >= U'A' && text[end] <= U'Z') ||
          (text[end] >= U'a' && text[end] <= U'z'))) {
    ++end;
  }
  if (end == first || end - first > kLongestName || end == text.size() || text[end] != U';') {
    return std::nullopt;
  }
  if (first == 2) {
    auto number = numeric_reference(text.substr(2));
    // Digits must reach the `;`, and `&#59;` stays: its value would look like an unread rest.
    if (!number || number->length != end + 1 || number->value == U";") return std::nullopt;
    return number;
  }
  const std::u32string_view name = text.substr(1, end);
  const auto* value = find_entity(html5_entities(), name);
  if (value == nullptr) value = find_entity(capital_entities(), name);
  if (value == nullptr) return std::nullopt;
  return Reference{*value, end + 1};
}

template <class Find>
std::u32string replace_references(std::u32string_view text, Find find) {
  std::u32string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto reference = text[at] == U'&' ? find(text.substr(at)) : std::nullopt;
    if (reference) {
      result += reference->value;
      at += reference->length;
    } else {
      result.push_back(text[at++]);
    }
  }
  return result;
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  return replace_references(text, html_reference);
}

std::u32string unescape_certain_html(std::u32string_view text) {
  return replace_references(text, certain_reference);
}

char32_t from_windows_1252(char32_t c) {
  // Five bytes have no meaning there and stay as they are.
  static constexpr std::array<char32_t, 32> kCharacters = {
      0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
      0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  return c >= 0x80 && c <= 0x9F ? kCharacters[c - 0x80] : c;
}

}  // namespace dd
