// SPDX-License-Identifier: Apache-2.0
#include "dd/text/unicode.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <limits>

#include "dd/core/error.h"

namespace dd {
namespace {

// ICU counts in 32 bits, and lower-casing or normalising may triple a text.
constexpr std::size_t kLongestText = std::numeric_limits<std::int32_t>::max() / 8;

std::int32_t icu_length(std::size_t length) {
  if (length > kLongestText) fail_input("a text is longer than 256 MB; split it");
  return static_cast<std::int32_t>(length);
}

icu::UnicodeString to_icu(std::u32string_view text) {
  static_assert(sizeof(char32_t) == sizeof(UChar32));
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       icu_length(text.size()));
}

std::u32string from_icu(const icu::UnicodeString& text) {
  std::u32string result;
  result.reserve(static_cast<std::size_t>(text.length()));
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    result.push_back(static_cast<char32_t>(text.char32At(i)));
  }
  return result;
}

std::uint32_t category_mask(char32_t c) {
  return U_GET_GC_MASK(static_cast<UChar32>(c));
}

std::u32string normalize(const icu::Normalizer2* (*form)(UErrorCode&), std::u32string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = form(status);
  ensure(U_SUCCESS(status) != 0 && normalizer != nullptr, "ICU has no normalisation data");
  const icu::UnicodeString result = normalizer->normalize(to_icu(text), status);
  ensure(U_SUCCESS(status) != 0, "ICU could not normalise a text");
  return from_icu(result);
}

}  // namespace

std::u32string to_utf32(std::string_view utf8) {
  return from_icu(
      icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), icu_length(utf8.size()))));
}

std::string to_utf8(std::u32string_view text) {
  std::string result;
  to_icu(text).toUTF8String(result);
  return result;
}

bool is_letter(char32_t c) {
  return (category_mask(c) & U_GC_L_MASK) != 0;
}
bool is_number(char32_t c) {
  return (category_mask(c) & U_GC_N_MASK) != 0;
}
bool is_digit(char32_t c) {
  return (category_mask(c) & U_GC_ND_MASK) != 0;
}
bool is_space(char32_t c) {
  return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}

std::u32string normalize_nfc(std::u32string_view text) {
  return normalize(&icu::Normalizer2::getNFCInstance, text);
}

std::u32string normalize_nfkc(std::u32string_view text) {
  return normalize(&icu::Normalizer2::getNFKCInstance, text);
}

std::u32string to_lower(std::u32string_view text) {
  return from_icu(to_icu(text).toLower(icu::Locale::getRoot()));
}

}  // namespace dd
