// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dd {

/// Replaces character references as the HTML5 standard reads them (and html.unescape of Python
/// does): numeric ones, named ones, and the longest known beginning of a name without `;`.
std::u32string unescape_html(std::u32string_view text);

/// Replaces only what is certainly a reference: names that end in `;`, numbers, and names of one
/// case written in capitals (`&EACUTE;`), as ftfy's unescape_html does.
std::u32string unescape_certain_html(std::u32string_view text);

/// What the C1 control characters U+0080 ... U+009F stand for in Windows-1252; others as they are.
char32_t from_windows_1252(char32_t c);

}  // namespace dd
