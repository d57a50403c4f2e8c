// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dd {

/// Code points of UTF-8 text; what is not UTF-8 becomes U+FFFD.
std::u32string to_utf32(std::string_view utf8);
std::string to_utf8(std::u32string_view text);

bool is_letter(char32_t c);  ///< \p{L}
bool is_number(char32_t c);  ///< \p{N}
bool is_digit(char32_t c);   ///< \p{Nd}
bool is_space(char32_t c);   ///< White_Space, `\s` of Python's regex module

std::u32string normalize_nfc(std::u32string_view text);
std::u32string normalize_nfkc(std::u32string_view text);
/// Full lower case without a language: as str.lower() of Python, final sigma included.
std::u32string to_lower(std::u32string_view text);

}  // namespace dd
