// SPDX-License-Identifier: Apache-2.0
#include "dd/core/json_text.h"

#include <cstdint>
#include <vector>

namespace dd {
namespace {

/// Calls `visit` with each letter that stands outside of quotes, until it returns false.
template <class Visit>
void for_each_mark(std::string_view json, const Visit& visit) {
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char letter = json[i];
    if (quoted) {
      if (letter == '\\') ++i;  // what follows is no end of the text
      if (letter == '"') quoted = false;
    } else if (letter == '"') {
      quoted = true;
    } else if (!visit(letter)) {
      return;
    }
  }
}

}  // namespace

bool nests_too_deeply(std::string_view json) {
  constexpr int kDeepest = 200;
  int depth = 0;
  for_each_mark(json, [&](char mark) {
    if (mark == '[' || mark == '{') ++depth;
    if (mark == ']' || mark == '}') --depth;
    return depth <= kDeepest;
  });
  return depth > kDeepest;
}

bool names_too_much(std::string_view json) {
  // Each key of an object is compared with those before it, some 10 ns each.
  constexpr std::int64_t kMostComparisons = 500'000'000;
  std::int64_t comparisons = 0;
  std::vector<std::int64_t> keys;  // of the objects that are open
  for_each_mark(json, [&](char mark) {
    if (mark == '{') keys.push_back(0);
    if (mark == '}' && !keys.empty()) keys.pop_back();
    if (mark == ':' && !keys.empty()) comparisons += keys.back()++;
    return comparisons <= kMostComparisons;
  });
  return comparisons > kMostComparisons;
}

Json parse_json(std::string_view text) {
  if (nests_too_deeply(text) || names_too_much(text)) return {};
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json() : value;
}

}  // namespace dd
