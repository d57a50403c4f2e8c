// SPDX-License-Identifier: Apache-2.0
#include "dd/text/clean.h"

#include <algorithm>

#include "dd/text/html_entities.h"
#include "dd/text/unicode.h"

namespace dd {
namespace {

/// The letters of a Latin ligature or digraph; empty for anything else.
std::u32string_view letters_of_ligature(char32_t c) {
  switch (c) {
    case 0x132:
      return U"IJ";
    case 0x133:
      return U"ij";
    case 0x149:
      return U"\u02BCn";
    case 0x1C4:
      return U"D\u017D";
    case 0x1C5:
      return U"D\u017E";
    case 0x1C6:
      return U"d\u017E";
    case 0x1C7:
      return U"LJ";
    case 0x1C8:
      return U"Lj";
    case 0x1C9:
      return U"lj";
    case 0x1CA:
      return U"NJ";
    case 0x1CB:
      return U"Nj";
    case 0x1CC:
      return U"nj";
    case 0x1F1:
      return U"DZ";
    case 0x1F2:
      return U"Dz";
    case 0x1F3:
      return U"dz";
    case 0xFB00:
      return U"ff";
    case 0xFB01:
      return U"fi";
    case 0xFB02:
      return U"fl";
    case 0xFB03:
      return U"ffi";
    case 0xFB04:
      return U"ffl";
    case 0xFB05:
      return U"\u017Ft";
    case 0xFB06:
      return U"st";
    default:
      return {};
  }
}

bool is_dropped_control(char32_t c) {
  return c < 0x09 || c == 0x0B || (c >= 0x0E && c < 0x20) || c == 0x7F ||
         (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

char32_t straight_quote(char32_t c) {
  if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) return U'\'';
  if (c >= 0x201C && c <= 0x201F) return U'"';
  return c;
}

/// Ligatures, widths and quotes: each looks at single characters, and none makes work for one
/// before it that the next round of fix_line would not find.
std::u32string fix_characters(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t raw : text) {
    const char32_t c = from_windows_1252(raw);
    if (const auto letters = letters_of_ligature(c); !letters.empty()) {
      for (const char32_t letter : letters) result.push_back(straight_quote(letter));
    } else if (c == 0x3000) {
      result.push_back(U' ');
    } else if (c >= 0xFF01 && c <= 0xFFEF) {
      result += normalize_nfkc(std::u32string_view(&c, 1));
    } else {
      result.push_back(straight_quote(c));
    }
  }
  return result;
}

std::u32string fix_line_breaks(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') continue;
    const bool is_break = c == U'\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
    result.push_back(is_break ? U'\n' : c);
  }
  return result;
}

/// Length of a terminal escape (ESC [ digits and semicolons, letter) at `at`, or 0.
std::size_t terminal_escape_at(std::u32string_view text, std::size_t at) {
  if (text[at] != 0x1B || at + 1 >= text.size() || text[at + 1] != U'[') return 0;
  std::size_t end = at + 2;
  while (end < text.size() && (text[end] == U';' || is_digit(text[end]))) ++end;
  if (end == text.size()) return 0;
  const char32_t last = text[end];
  const bool letter = (last >= U'a' && last <= U'z') || (last >= U'A' && last <= U'Z');
  return letter ? end + 1 - at : 0;
}

std::u32string remove_invisible(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t escape = terminal_escape_at(text, i);
    if (escape == 0 && !is_dropped_control(text[i])) result.push_back(text[i]);
    i += std::max<std::size_t>(escape, 1);
  }
  return result;
}

std::u32string fix_line(std::u32string text, bool unescape) {
  for (;;) {
    std::u32string fixed = unescape ? unescape_certain_html(text) : text;
    fixed = normalize_nfc(remove_invisible(fix_line_breaks(fix_characters(fixed))));
    if (fixed == text) return text;
    text = std::move(fixed);
  }
}

std::u32string collapse_space(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t c : text) {
    if (!is_space(c)) {
      result.push_back(c);
    } else if (!result.empty() && result.back() != U' ') {
      result.push_back(U' ');
    }
  }
  if (!result.empty() && result.back() == U' ') result.pop_back();
  return result;
}

}  // namespace

std::u32string fix_text(std::u32string_view text) {
  std::u32string result;
  bool unescape = true;
  while (!text.empty()) {
    const std::size_t newline = text.find(U'\n');
    const std::size_t length = newline == text.npos ? text.size() : newline + 1;
    const std::u32string_view line = text.substr(0, length);
    // A `<` says that this is HTML on purpose, from here to the end.
    unescape = unescape && line.find(U'<') == line.npos;
    result += fix_line(std::u32string(line), unescape);
    text.remove_prefix(length);
  }
  return result;
}

std::u32string clean_prompt(std::string_view utf8) {
  return to_lower(collapse_space(unescape_html(unescape_html(fix_text(to_utf32(utf8))))));
}

}  // namespace dd
