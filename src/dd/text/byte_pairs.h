// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dd {

/// Marks the symbol that closes a word.
inline constexpr std::string_view kEndOfWord = "</w>";

/// The printable character that stands for each byte in a byte-level vocabulary, as UTF-8.
std::array<std::string, 256> byte_symbols();

/// The order in which CLIP numbers the bytes: those that print as themselves, then the others.
std::array<std::uint8_t, 256> byte_order();

/// Which pairs of symbol ids become one symbol, and which first.
class MergeTable {
 public:
  /// Of equal pairs the one added last counts.
  void add(std::int64_t left, std::int64_t right, std::int64_t rank, std::int64_t merged);

  /// Merges the pair of lowest rank wherever it stands, until no known pair is left.
  void apply(std::vector<std::int64_t>& symbols) const;

 private:
  struct Merge {
    std::int64_t rank;
    std::int64_t merged;
  };
  struct PairHash {
    std::size_t operator()(const std::pair<std::int64_t, std::int64_t>& pair) const {
      return std::hash<std::int64_t>()(pair.first * 0x9E3779B1 + pair.second);
    }
  };
  std::unordered_map<std::pair<std::int64_t, std::int64_t>, Merge, PairHash> merges_;
};

/// Puts `merged` where `left` is followed by `right`, from left to right.
void merge_pair(std::vector<std::int64_t>& symbols, std::int64_t left, std::int64_t right,
                std::int64_t merged);

}  // namespace dd
