// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dd/core/json.h"

namespace dd {

/// True where lists and objects stand within each other more than 200 deep, as no file that we know
/// of has it. The JSON library parses any depth, but copies and prints by recursion: such a text
/// would use up the stack. Asked before a text from outside is parsed; the text need not be JSON.
bool nests_too_deeply(std::string_view json);

/// True where the text's objects hold so many keys that to read it as Json, whose objects are
/// lists, would take more than seconds: one object of 30,000, or very many of fewer. Asked
/// likewise.
bool names_too_much(std::string_view json);

/// The content of a file from outside, as any of the library's kinds of JSON. Error(kInput) names
/// `where`, of a syntax error the place, and the remedy.
template <class Value>
Value parse_document(std::string_view text, const std::string& where, std::string_view remedy) {
  if (nests_too_deeply(text)) fail_input(cat(where, " nests its lists too deeply; ", remedy));
  if (std::is_same_v<Value, Json> && names_too_much(text)) {
    fail_input(cat(where, " names more things than any such file does; ", remedy));
  }
  try {
    return Value::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail_input(cat("invalid JSON in ", where, " at byte ", error.byte, "; ", remedy));
  } catch (const nlohmann::json::out_of_range&) {
    fail_input(cat(where, " holds a number that is too large; ", remedy));
  }
}

/// A value from outside, such as one line of a file; null for a text that is no JSON, nests too
/// deeply or names too much.
Json parse_json(std::string_view text);

}  // namespace dd
