// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dd {

/// Cleans a prompt as OpenAI's CLIP tokenizer does before it looks for words:
/// 1. ftfy.fix_text, line by line until nothing changes: HTML entities (until a line with `<` is
///    met), C1 controls as Windows-1252, Latin ligatures taken apart, full- and half-width forms
///    made normal, curly quotes straight, line breaks to `\n`, terminal escapes and control
///    characters removed, NFC;
/// 2. HTML entities unescaped twice more, by the full HTML5 rules;
/// 3. white space made single spaces, none at the ends;
/// 4. lower case (full Unicode mapping).
///
/// One step of ftfy is left out on purpose: its guesses at text decoded from the wrong encoding
/// ("mojibake"). A prompt reaches us as UTF-8; broken text stays as it was typed.
std::u32string clean_prompt(std::string_view utf8);

/// Step 1 alone.
std::u32string fix_text(std::u32string_view text);

}  // namespace dd
