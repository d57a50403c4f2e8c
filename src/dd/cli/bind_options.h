// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dd/core/fields.h"

namespace CLI {
class App;
}

namespace dd::cli {

/// Gives `app` a flag for every field of `options`; parsing writes into the fields, which must
/// outlive the parser. Numbers that are none throw Error(kUsage). The field named `positional`, if
/// any, is also taken without its flag.
void bind_options(CLI::App& app, Options& options, const std::string& positional = "");

/// The options that were given on the parsed command line, as keys of options_to_json.
std::vector<std::string> given_keys(const CLI::App& app);

}  // namespace dd::cli
