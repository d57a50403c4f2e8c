// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/cli/command.h"

namespace dd::cli {

/// The program's manual page (section 1), from the same fields as the help.
std::string man_page(const std::vector<Command>& commands);

}  // namespace dd::cli
