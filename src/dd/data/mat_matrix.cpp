// SPDX-License-Identifier: Apache-2.0
#include "dd/data/mat_matrix.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace dd::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are taken as they lie");

template <class T>
T number_at(std::string_view bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
  return number_at<std::uint32_t>(bytes.substr(at), 0);
}

template <class T>
std::vector<double> numbers_as(std::string_view bytes) {
  const std::size_t count = bytes.size() / sizeof(T);
  std::vector<double> numbers;
  numbers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<double>(number_at<T>(bytes, i)));
  }
  return numbers;
}

/// Numbers as they are stored, which may be in a smaller type than the array's own.
std::vector<double> stored_numbers(const MatElement& element) {
  switch (element.type) {
    case 1:
      return numbers_as<std::int8_t>(element.data);
    case 2:
    case 16:  // UTF-8
      return numbers_as<std::uint8_t>(element.data);
    case 3:
      return numbers_as<std::int16_t>(element.data);
    case 4:
    case 17:  // UTF-16
      return numbers_as<std::uint16_t>(element.data);
    case 5:
      return numbers_as<std::int32_t>(element.data);
    case 6:
      return numbers_as<std::uint32_t>(element.data);
    case 7:
      return numbers_as<float>(element.data);
    case 9:
      return numbers_as<double>(element.data);
    case 12:
      return numbers_as<std::int64_t>(element.data);
    case 13:
      return numbers_as<std::uint64_t>(element.data);
    default:
      throw MatDamage{"an array has a type of numbers that there is not"};
  }
}

void append_utf8(std::string& text, std::uint32_t letter) {
  if (letter < 0x80) {
    text += static_cast<char>(letter);
  } else if (letter < 0x800) {
    text += static_cast<char>(0xc0 | (letter >> 6));
    text += static_cast<char>(0x80 | (letter & 0x3f));
  } else {
    text += static_cast<char>(0xe0 | (letter >> 12));
    text += static_cast<char>(0x80 | ((letter >> 6) & 0x3f));
    text += static_cast<char>(0x80 | (letter & 0x3f));
  }
}

MatElement take_element_of(std::string_view& bytes, std::uint32_t type, const char* problem) {
  const MatElement element = take_element(bytes);
  if (element.type != type) throw MatDamage{problem};
  return element;
}

std::size_t product_of(std::string_view dimensions) {
  // Far more than a list has; keeps the product within its type.
  constexpr std::size_t kMost = 100'000'000;
  std::size_t count = 1;
  for (std::size_t i = 0; i < dimensions.size() / 4; ++i) {
    const std::uint32_t size = word_at(dimensions, 4 * i);
    if (size != 0 && count > kMost / size) throw MatDamage{"an array claims to be too large"};
    count *= size;
  }
  return count;
}

}  // namespace

MatElement take_element(std::string_view& bytes) {
  constexpr const char* kCutOff = "it is cut off";
  if (bytes.size() < 8) throw MatDamage{kCutOff};
  const std::uint32_t first = word_at(bytes, 0);
  if (const std::uint32_t small = first >> 16; small != 0) {
    // Up to four bytes stand in the tag itself.
    if (small > 4) throw MatDamage{"a small element claims more than four bytes"};
    const MatElement element{first & 0xffff, bytes.substr(4, small)};
    bytes.remove_prefix(8);
    return element;
  }
  const std::size_t size = word_at(bytes, 4);
  bytes.remove_prefix(8);
  if (size > bytes.size()) throw MatDamage{kCutOff};
  const MatElement element{first, bytes.substr(0, size)};
  const std::size_t padded = first == kMatCompressed ? size : (size + 7) / 8 * 8;
  bytes.remove_prefix(std::min(padded, bytes.size()));
  return element;
}

MatMatrix::MatMatrix(std::string_view content) : rest(content) {
  if (content.empty()) return;
  const MatElement flags = take_element_of(rest, 6, "an array has no flags");
  if (flags.data.size() < 4) throw MatDamage{"an array has no flags"};
  kind = word_at(flags.data, 0) & 0xff;
  is_complex = (word_at(flags.data, 0) & 0x800) != 0;
  count = product_of(take_element_of(rest, 5, "an array has no dimensions").data);
  name = take_element_of(rest, 1, "an array has no name").data;
}

std::vector<std::string> MatMatrix::field_names() const {
  std::string_view bytes = rest;
  const MatElement length = take_element_of(bytes, 5, "a structure has no length of names");
  const MatElement names = take_element_of(bytes, 1, "a structure has no names of fields");
  const std::size_t each = length.data.size() == 4 ? word_at(length.data, 0) : 0;
  if (each == 0 || each > 1024) throw MatDamage{"names of fields have no sensible length"};
  std::vector<std::string> result;
  for (std::size_t i = 0; i < names.data.size() / each; ++i) {
    const std::string_view name_bytes = names.data.substr(i * each, each);
    result.emplace_back(name_bytes.substr(0, name_bytes.find('\0')));
  }
  return result;
}

std::vector<MatMatrix> MatMatrix::children() const {
  std::string_view bytes = rest;
  std::size_t expected = count;
  if (is_struct()) {
    expected *= field_names().size();
    take_element(bytes);
    take_element(bytes);
  }
  // Each takes at least its tag.
  if (expected > bytes.size() / 8) throw MatDamage{"an array has fewer elements than it claims"};
  std::vector<MatMatrix> result;
  result.reserve(expected);
  for (std::size_t i = 0; i < expected; ++i) {
    result.emplace_back(
        take_element_of(bytes, kMatMatrix, "an element of an array is no array").data);
  }
  return result;
}

std::optional<std::vector<std::int64_t>> MatMatrix::whole_numbers() const {
  if (!is_numeric() || is_complex) return std::nullopt;
  std::string_view bytes = rest;
  const std::vector<double> stored = stored_numbers(take_element(bytes));
  if (stored.size() != count) throw MatDamage{"an array has fewer numbers than it claims"};
  std::vector<std::int64_t> numbers;
  for (const double value : stored) {
    // Also false for what is no number.
    if (!(std::abs(value) < 1e15) || std::floor(value) != value) return std::nullopt;
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

std::optional<std::string> MatMatrix::text() const {
  if (is_text()) {
    if (count == 0) return "";
    std::string_view bytes = rest;
    const MatElement element = take_element(bytes);
    if (element.type == 16) return std::string(element.data);
    std::string result;
    for (const double letter : stored_numbers(element)) {
      if (!(letter >= 0 && letter < 65536)) throw MatDamage{"a text holds what is no letter"};
      append_utf8(result, static_cast<std::uint32_t>(letter));
    }
    return result;
  }
  const auto numbers = whole_numbers();
  if (!numbers || numbers->empty()) return std::nullopt;
  return std::to_string(numbers->front());
}

}  // namespace dd::detail
