// SPDX-License-Identifier: Apache-2.0
#include "dd/core/number_text.h"

#include <array>
#include <charconv>
#include <sstream>

#include "dd/core/error.h"

namespace dd {

std::string shortest_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::vector<double> parse_numbers(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<double> numbers;
  for (const std::string& text : texts) {
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
      double value = 0;
      const char* const end = word.data() + word.size();
      const auto [stop, error] = std::from_chars(word.data(), end, value);
      if (error != std::errc() || stop != end) {
        fail_usage(cat("--", flag, " holds \"", word, "\", which is no number; give some such as ",
                       "0.5,0.8"));
      }
      numbers.push_back(value);
    }
  }
  return numbers;
}

}  // namespace dd
