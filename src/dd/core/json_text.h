// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "dd/core/json.h"

namespace dd {

/// True where lists and objects stand within each other more than 200 deep, as no file that we know
/// of has it. The JSON library parses any depth, but copies and prints by recursion: such a text
/// would use up the stack. Asked before a text from outside is parsed; the text need not be JSON.
bool nests_too_deeply(std::string_view json);

/// A value from outside, such as one line of a file; null for a text that is no JSON or nests too
/// deeply.
Json parse_json(std::string_view text);

}  // namespace dd
