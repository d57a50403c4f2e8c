// SPDX-License-Identifier: Apache-2.0
#include "dd/text/byte_pairs.h"

#include <limits>

#include "dd/text/unicode.h"

namespace dd {
namespace {

bool prints_as_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

}  // namespace

std::array<std::string, 256> byte_symbols() {
  std::array<std::string, 256> symbols;
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t c = prints_as_itself(byte) ? static_cast<char32_t>(byte) : next++;
    symbols[static_cast<std::size_t>(byte)] = to_utf8(std::u32string_view(&c, 1));
  }
  return symbols;
}

std::array<std::uint8_t, 256> byte_order() {
  std::array<std::uint8_t, 256> order{};
  std::size_t next = 0;
  for (const bool printing : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      if (prints_as_itself(byte) == printing) order[next++] = static_cast<std::uint8_t>(byte);
    }
  }
  return order;
}

void MergeTable::add(std::int64_t left, std::int64_t right, std::int64_t rank,
                     std::int64_t merged) {
  merges_.insert_or_assign({left, right}, Merge{rank, merged});
}

void MergeTable::apply(std::vector<std::int64_t>& symbols) const {
  for (;;) {
    Merge best{std::numeric_limits<std::int64_t>::max(), 0};
    std::size_t where = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = merges_.find({symbols[i], symbols[i + 1]});
      if (found != merges_.end() && found->second.rank < best.rank) {
        best = found->second;
        where = i;
      }
    }
    if (best.rank == std::numeric_limits<std::int64_t>::max()) return;
    merge_pair(symbols, symbols[where], symbols[where + 1], best.merged);
  }
}

void merge_pair(std::vector<std::int64_t>& symbols, std::int64_t left, std::int64_t right,
                std::int64_t merged) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < symbols.size(); ++kept) {
    const bool match = symbols[i] == left && i + 1 < symbols.size() && symbols[i + 1] == right;
    symbols[kept] = match ? merged : symbols[i];
    i += match ? 2 : 1;
  }
  symbols.resize(kept);
}

}  // namespace dd
