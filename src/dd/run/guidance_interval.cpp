// SPDX-License-Identifier: Apache-2.0
#include "dd/run/guidance_interval.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

#include "dd/core/error.h"
#include "dd/core/number_text.h"

namespace dd::run {
namespace {

/// 0 for an empty text; nothing where it is no noise level.
std::optional<double> level_of(std::string_view text) {
  constexpr double kHighest = 1e6;
  double value = 0;
  if (text.empty()) return value;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // Written so that NaN fails.
  if (error != std::errc() || stop != end || !(value >= 0 && value <= kHighest)) return {};
  return value;
}

}  // namespace

GuidanceInterval GuidanceInterval::parse(const std::string& text) {
  if (text == kAll) return {};
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos) {
    const std::string_view whole = text;
    const auto low = level_of(whole.substr(0, colon));
    const auto high = level_of(whole.substr(colon + 1));
    if (low && high && (*high == 0 || *high >= *low)) return {*low, *high};
  }
  fail_usage(cat("--guidance-interval is \"", text,
                 "\"; give all, or two noise levels as LOW:HIGH, such as 0.5:3 or 2:"));
}

std::string GuidanceInterval::text() const {
  if (low == 0 && high == 0) return kAll;
  return cat(low > 0 ? shortest_text(low) : "", ":", high > 0 ? shortest_text(high) : "");
}

std::vector<std::string> interval_texts(const std::vector<std::string>& given) {
  std::vector<std::string> texts;
  for (const std::string& list : given) {
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
      texts.push_back(GuidanceInterval::parse(word).text());
    }
  }
  return texts;
}

}  // namespace dd::run
