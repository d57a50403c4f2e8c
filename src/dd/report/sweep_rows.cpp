// SPDX-License-Identifier: Apache-2.0
#include "dd/report/sweep_rows.h"

#include <algorithm>

#include "dd/core/error.h"
#include "dd/report/json_member.h"

namespace dd::report {

const std::vector<std::string>& number_settings() {
  static const std::vector<std::string> names{
      "shots",    "images_per_class", "adapt_steps",   "sample_steps",
      "guidance", "cache_every",      "decode_shrink", "lambda"};
  return names;
}

const std::vector<std::string>& other_settings() {
  static const std::vector<std::string> names{"sampler", "guidance_interval", "protocol"};
  return names;
}

std::string words_of(std::string key) {
  std::ranges::replace(key, '_', ' ');
  return key;
}

std::string plain_text(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::set<std::string> values_of(const Json& rows, const std::string& setting) {
  std::set<std::string> values;
  for (const Json& row : rows) {
    const Json value = member(row, setting);
    if (!value.is_null()) values.insert(plain_text(value));
  }
  return values;
}

std::string text_settings(const Json& row, const Json& rows) {
  std::string text;
  for (const std::string& setting : other_settings()) {
    const std::string value = plain_text(member(row, setting));
    if (!value.empty() && values_of(rows, setting).size() > 1) text += cat(", ", value);
  }
  return text;
}

}  // namespace dd::report
