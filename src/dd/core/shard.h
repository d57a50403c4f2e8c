// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace dd {

/// Part `number` (from 1) of `of` equal parts of some work, which processes that know nothing of
/// each other do.
struct Shard {
  std::int64_t number = 1;
  std::int64_t of = 1;

  std::string text() const;
  bool is_whole() const { return of == 1; }
  /// Of `total` pieces: the first in this part and the one behind its last; parts are stretches of
  /// neighbours.
  std::int64_t begin(std::int64_t total) const { return total * (number - 1) / of; }
  std::int64_t end(std::int64_t total) const { return total * number / of; }
  bool holds(std::int64_t index, std::int64_t total) const {
    return index >= begin(total) && index < end(total);
  }
};

/// Reads "2/3". Error(kUsage).
Shard parse_shard(const std::string& text);

}  // namespace dd
