// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dd/core/error.h"

namespace dd {

/// Objects keep the order in which keys were written, so files read as they were composed. They are
/// lists: a key is looked for from the front.
using Json = nlohmann::ordered_json;

/// Objects sort their keys. For files from outside whose objects may have very many.
using SortedJson = nlohmann::json;

/// Parses a JSON file; Error(kInput) names the file and the place of a syntax error.
Json read_json(const std::filesystem::path& path);

/// Writes with two spaces of indentation, atomically.
void write_json(const std::filesystem::path& path, const Json& value);

template <class T>
struct IsVector : std::false_type {};
template <class Element>
struct IsVector<std::vector<Element>> : std::true_type {};

/// Whether a value, of either kind of JSON, is a number that T, a type of numbers, can hold, or for
/// lists of T a list of such numbers; true where T is of another kind. The library would make any
/// number into any other, and for one out of range the language leaves open what comes of it.
template <class T, class Value>
bool holds_number(const Value& value) {
  if constexpr (IsVector<T>::value) {
    const auto fits = [](const Value& one) { return holds_number<typename T::value_type>(one); };
    return value.is_array() && std::ranges::all_of(value, fits);
  } else if constexpr (std::is_floating_point_v<T>) {
    return value.is_number();
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (value.is_number_unsigned()) return std::in_range<T>(value.template get<std::uint64_t>());
    if (value.is_number_integer()) return std::in_range<T>(value.template get<std::int64_t>());
    constexpr double kExact = 9007199254740992;  // 2^53
    if (!value.is_number()) return false;
    const auto number = value.template get<double>();
    return std::abs(number) <= kExact && number == std::trunc(number) &&
           std::in_range<T>(static_cast<std::int64_t>(number));
  }
  return true;
}

/// A value as a T; the JSON library's type_error where it is of another kind, or a number that T
/// cannot hold.
template <class T, class Value>
T json_as(const Value& value) {
  if (!holds_number<T>(value)) {
    throw nlohmann::json::type_error::create(302, "a number that does not fit", &value);
  }
  return value.template get<T>();
}

/// The value of `key`, or `fallback` when it is missing or null. Error(kInput) names `where` and
/// the key when the value has another type.
template <class T, class Value>
T json_value(const Value& object, const std::string& key, T fallback, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  try {
    return json_as<T>(*found);
  } catch (const nlohmann::json::exception&) {
    fail_input(cat(where, ": the value of \"", key, "\" has the wrong type (",
                   found->dump().substr(0, 80), "); is this the right kind of file?"));
  }
}

/// The value of `key`; Error(kInput) when it is missing.
template <class T, class Value>
T json_required(const Value& object, const std::string& key, const std::string& where) {
  if (!object.contains(key) || object.at(key).is_null()) {
    fail_input(cat(where, ": \"", key, "\" is missing; is this the right kind of file?"));
  }
  return json_value<T>(object, key, T{}, where);
}

}  // namespace dd
