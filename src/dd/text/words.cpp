// SPDX-License-Identifier: Apache-2.0
#include "dd/text/words.h"

#include <array>

#include "dd/text/unicode.h"

namespace dd {
namespace {

enum class Kind { kSpace, kLetter, kNumber, kOther };

Kind kind_of(char32_t c) {
  if (is_letter(c)) return Kind::kLetter;
  if (is_number(c)) return Kind::kNumber;
  // U+0345 is a mark whose capital is a letter: the pattern, which ignores case, takes it neither
  // for a letter nor for anything else, so that it vanishes like a space.
  if (is_space(c) || c == 0x345) return Kind::kSpace;
  return Kind::kOther;
}

std::size_t contraction_length(std::u32string_view text) {
  static constexpr std::array<std::u32string_view, 7> kContractions = {
      U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const auto ending : kContractions) {
    if (text.starts_with(ending)) return ending.size();
  }
  // The long s has the same capital as s.
  return text.starts_with(U"'\u017F") ? 2 : 0;
}

}  // namespace

std::vector<std::u32string_view> clip_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const Kind kind = kind_of(text[at]);
    std::size_t length = contraction_length(text.substr(at));
    if (length == 0) {
      length = 1;
      const bool runs = kind == Kind::kLetter || kind == Kind::kOther;
      while (runs && at + length < text.size() && kind_of(text[at + length]) == kind) ++length;
    }
    if (kind != Kind::kSpace) words.push_back(text.substr(at, length));
    at += length;
  }
  return words;
}

}  // namespace dd
