// SPDX-License-Identifier: Apache-2.0
#include "dd/core/utf8.h"

#include <array>
#include <cstdio>

#include "dd/core/json.h"

namespace dd {

bool is_utf8(std::string_view text) {
  // Asked of the library that writes the records, so that both agree.
  try {
    Json(text).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string escaped_bytes(std::string_view text) {
  constexpr std::size_t kShown = 200;
  std::string result;
  for (const char letter : text.substr(0, kShown)) {
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20 && code < 0x7f) {
      result += letter;
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned int>(code));
    result += escape.data();
  }
  return text.size() > kShown ? result + "..." : result;
}

}  // namespace dd
