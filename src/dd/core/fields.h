// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd {

/// What a user may know of one option: its help text (with the unit), range and choices.
struct FieldInfo {
  std::string help;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices{};  ///< for texts; empty = anything
  bool required = false;               ///< a text or path that must not be empty
};

/// Sees every field of an options struct. One list of fields (`void
/// XxxOptions::visit(FieldVisitor&)`) yields the command-line flag (`--save-every`), the TOML and
/// JSON key (`save_every`), default, range check, help text and documentation.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void field(const std::string& name, bool& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::int64_t& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, double& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::string& value, const FieldInfo& info) = 0;
  /// A text that may be absent, where the empty text means something too. In JSON it is then null;
  /// in TOML it is left out.
  virtual void field(const std::string& name, std::optional<std::string>& value,
                     const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::filesystem::path& value,
                     const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::vector<std::string>& value,
                     const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::vector<std::int64_t>& value,
                     const FieldInfo& info) = 0;
};

/// Anything that lists its fields.
class Options {
 public:
  virtual ~Options() = default;
  /// Names are in flag form, without the leading dashes: "save-every".
  virtual void visit(FieldVisitor& visitor) = 0;
};

/// All fields as a JSON object; keys with underscores.
Json options_to_json(const Options& options);

/// Sets the fields named in `values`; Error(kUsage) names `where` and an unknown key together with
/// the nearest known one, or a value of the wrong type.
void options_from_json(Options& options, const Json& values, const std::string& where);

/// Checks ranges, choices and required fields; Error(kUsage) names the flag.
void check_options(const Options& options);

/// The candidate with the smallest edit distance to `word`; empty when there is none.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace dd
