// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd::report {

/// A file and the name to show for it.
struct HashedFile {
  std::string name;
  std::filesystem::path path;
};

/// What run.json or sweep.json says of settings and models, and the SHA-256 of files that are
/// there.
std::string settings_section(const Json& description, const std::vector<HashedFile>& files);

}  // namespace dd::report
