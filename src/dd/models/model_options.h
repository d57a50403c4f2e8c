// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dd/core/fields.h"
#include "dd/core/json.h"

namespace dd::models {

/// What a model's files may leave open, or say wrongly. Part of every command that draws or adapts.
struct ModelOptions {
  std::filesystem::path tokenizer{};     ///< folder with the tokenizer; empty = the model's own
  std::string prediction_type = "auto";  ///< auto = what the model's files say

  /// Lists the fields for a command.
  void visit(FieldVisitor& visitor);
  /// What of it changes results, for the record of a run: an empty object for the defaults. Paths
  /// are replaced by hashes of what they lead to.
  Json identity() const;
};

}  // namespace dd::models
