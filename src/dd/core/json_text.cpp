// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json_text.h"

namespace dd {

bool nests_too_deeply(std::string_view json) {
  constexpr int kDeepest = 200;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char letter = json[i];
    if (quoted) {
      if (letter == '\\') ++i;  // what follows is no end of the text
      if (letter == '"') quoted = false;
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > kDeepest) return true;
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

Json parse_json(std::string_view text) {
  if (nests_too_deeply(text)) return {};
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json() : value;
}

}  // namespace dd
