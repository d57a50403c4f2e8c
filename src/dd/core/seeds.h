// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace dd {

/// Derives a seed from identity rather than from call order: (run seed, purpose, numbers such as
/// class and image). Equal arguments give equal seeds on every machine; the result is below 2^63,
/// so it fits the signed seeds of JSON readers and of torch generators.
std::uint64_t mix_seed(std::uint64_t seed, std::string_view purpose,
                       std::initializer_list<std::uint64_t> numbers = {});

/// A small generator (SplitMix64) for choices outside tensors: shuffles, crops, augmentation. Its
/// numbers do not depend on the standard library, unlike those of <random>'s distributions.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 … count − 1; count must be positive.
  std::int64_t below(std::int64_t count);
  /// Standard normal (Box-Muller).
  double normal();
  bool chance(double probability) { return uniform() < probability; }

  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
    }
  }
  /// A random order of 0 … count − 1.
  std::vector<std::int64_t> permutation(std::int64_t count);

 private:
  std::uint64_t state_;
};

}  // namespace dd
