// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace dd::models {

/// Where a parameter stands in a file.
struct TensorPlace {
  TensorPlace(std::string whole) : name(std::move(whole)) {}  // NOLINT: a name is a whole tensor
  TensorPlace(std::string fused, std::int64_t which, std::int64_t of)
      : name(std::move(fused)), part(which), parts(of) {}

  std::string name;
  std::int64_t part = 0;   ///< which of equal parts along the first dimension
  std::int64_t parts = 1;  ///< q, k and v stand in one tensor in some files
  bool transposed = false;
};

/// Translates our names of parameters into those of another layout, entry by entry: an entry is a
/// whole name or that of a module, whose parameters follow it. Of entries that fit the longest
/// counts.
class NameTable {
 public:
  /// A second entry for the same name replaces the first.
  void add(const std::string& ours, TensorPlace theirs);
  /// Nothing when no entry fits.
  std::optional<TensorPlace> find(const std::string& ours) const;

 private:
  std::map<std::string, TensorPlace> entries_;
};

}  // namespace dd::models
