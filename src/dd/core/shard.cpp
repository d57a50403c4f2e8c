// SPDX-License-Identifier: Apache-2.0
#include "dd/core/shard.h"

#include <charconv>

#include "dd/core/error.h"

namespace dd {

std::string Shard::text() const {
  return cat(number, "/", of);
}

Shard parse_shard(const std::string& text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, shard.number);
  bool good = error == std::errc() && slash != end && *slash == '/';
  if (good) {
    const auto [stop, problem] = std::from_chars(slash + 1, end, shard.of);
    good = problem == std::errc() && stop == end;
  }
  if (!good || shard.number < 1 || shard.number > shard.of || shard.of > 1000) {
    fail_usage(cat("--shard is \"", text, "\"; give I/N with I from 1 to N, such as 1/2"));
  }
  return shard;
}

}  // namespace dd
