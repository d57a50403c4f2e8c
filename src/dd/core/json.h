// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "dd/core/error.h"

namespace dd {

/// Objects keep the order in which keys were written, so files read as they were composed.
using Json = nlohmann::ordered_json;

/// Parses a JSON file; Error(kInput) names the file and the place of a syntax error.
Json read_json(const std::filesystem::path& path);

/// Writes with two spaces of indentation, atomically.
void write_json(const std::filesystem::path& path, const Json& value);

/// The value of `key`, or `fallback` when it is missing or null. Error(kInput) names `where` and
/// the key when the value has another type.
template <class T>
T json_value(const Json& object, const std::string& key, T fallback, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    fail_input(cat(where, ": the value of \"", key, "\" has the wrong type (", found->dump(),
                   "); is this the right kind of file?"));
  }
}

/// The value of `key`; Error(kInput) when it is missing.
template <class T>
T json_required(const Json& object, const std::string& key, const std::string& where) {
  if (!object.contains(key) || object.at(key).is_null()) {
    fail_input(cat(where, ": \"", key, "\" is missing; is this the right kind of file?"));
  }
  return json_value<T>(object, key, T{}, where);
}

}  // namespace dd
