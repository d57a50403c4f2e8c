// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dd/core/fields.h"
#include "dd/inspect/report.h"
#include "dd/models/model_options.h"

namespace dd::inspect {

struct InspectOptions final : Options {
  std::string path;  ///< a file, a folder, or NAME:ROOT of a known data set
  models::ModelOptions model{};
  bool json = false;  ///< for programs instead of for people
  bool hash = false;  ///< read all of the content

  void visit(FieldVisitor& visitor) override;
};

/// Says what a path holds and what is wrong with it. Without `hash`, headers are read and nothing
/// else, but for small files. Error(kInput) when there is nothing, or nothing known, at the path;
/// what is known but damaged gets a report with problems.
Report inspect_path(const InspectOptions& options);

}  // namespace dd::inspect
