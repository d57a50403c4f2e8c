// SPDX-License-Identifier: Apache-2.0
#include "dd/core/seeds.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "dd/core/error.h"

namespace dd {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t scramble(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

}  // namespace

std::uint64_t mix_seed(std::uint64_t seed, std::string_view purpose,
                       std::initializer_list<std::uint64_t> numbers) {
  std::uint64_t hash = scramble(seed + kGolden);
  for (const char letter : purpose) {
    hash = scramble(hash + kGolden + static_cast<unsigned char>(letter));
  }
  for (const std::uint64_t number : numbers) hash = scramble(hash * 3 + kGolden + number);
  return hash >> 1;
}

std::uint64_t Random::next() {
  state_ += kGolden;
  return scramble(state_);
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::int64_t Random::below(std::int64_t count) {
  ensure(count > 0, "Random::below needs a positive count");
  // Rejection keeps every value equally likely.
  const auto range = static_cast<std::uint64_t>(count);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return static_cast<std::int64_t>(value % range);
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::int64_t> Random::permutation(std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(std::span<std::int64_t>(order));
  return order;
}

}  // namespace dd
