// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/core/fields.h"

namespace dd::cli {

/// One option in words, as the help, the docs page and error messages show it.
struct FieldText {
  std::string name;             ///< "save-every"
  std::string flag{};           ///< "--save-every N", "--[no-]flip", "--mode class|dataset"
  std::string help{};           ///< what it is
  std::string limits{};         ///< "1 … 1024", "at least 0" or empty
  std::string default_value{};  ///< "16"; empty where there is none to speak of
  bool required = false;
};

/// The fields in the order in which they are listed, with their present values as defaults.
std::vector<FieldText> describe(const Options& options);

/// "LoRA rank (1 … 1024; default 16)".
std::string sentence(const FieldText& field);

/// A number as short as it can be written without loss: 0.0001, 16, 1e-08.
std::string number_text(double value);

}  // namespace dd::cli
