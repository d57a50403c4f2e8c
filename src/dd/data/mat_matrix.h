// SPDX-License-Identifier: Apache-2.0
// Between mat_matrix.cpp and mat_file.cpp; not for other files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dd::detail {

/// What is wrong with the bytes; mat_file.cpp adds file and variable.
struct MatDamage {
  const char* problem;
};

/// One tagged piece of a MATLAB file. Its bytes lie in the text it was taken from.
struct MatElement {
  std::uint32_t type = 0;
  std::string_view data;
};

inline constexpr std::uint32_t kMatCompressed = 15;
inline constexpr std::uint32_t kMatMatrix = 14;

/// Takes the first element off `bytes`, with its padding. Throws MatDamage when it does not fit.
MatElement take_element(std::string_view& bytes);

/// An array: its head, and what follows the head.
struct MatMatrix {
  /// Parses the content of a matrix element; nothing is read beyond the head. Throws MatDamage.
  explicit MatMatrix(std::string_view content);

  /// Elements of a cell array, or structures times fields, in the order of the file.
  std::vector<MatMatrix> children() const;
  /// Names of a structure's fields.
  std::vector<std::string> field_names() const;
  /// Whole numbers of a numeric array; nothing where it is none.
  std::optional<std::vector<std::int64_t>> whole_numbers() const;
  /// A text, as UTF-8, or the first number of an array, as text; nothing where it is neither.
  std::optional<std::string> text() const;

  bool is_cell() const { return kind == 1; }
  bool is_struct() const { return kind == 2; }
  bool is_text() const { return kind == 4; }
  bool is_numeric() const { return kind >= 6 && kind <= 15; }

  std::uint32_t kind = 0;  ///< MATLAB's class of the array; 0 = an empty one without a head
  bool is_complex = false;
  std::size_t count = 0;  ///< product of the dimensions
  std::string name;
  std::string_view rest;  ///< behind the head
};

}  // namespace dd::detail
