// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd::inspect {

/// What is known of a path.
struct Report {
  Json facts = Json::object();
  std::vector<std::string> problems;  ///< it cannot be used because of these
  std::vector<std::string> warnings;  ///< it can be used, but the user should know

  bool usable() const { return problems.empty(); }
  /// Runs `work`; its Error becomes a problem.
  template <class Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
};

/// The facts with `usable`, `problems` and `warnings` behind them.
Json report_json(const Report& report);

/// The same for people: a line a fact, nested ones indented, sizes with their unit.
std::string report_text(const Report& report);

}  // namespace dd::inspect
