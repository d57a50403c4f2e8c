// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dd/core/json.h"

namespace dd::report {

// The rows of sweep.json: one for all cells that differ in nothing but the seed.

/// Settings that are numbers, in the order of the tables: "shots", "images_per_class", …
const std::vector<std::string>& number_settings();
/// Others besides method and mode: "sampler", "guidance_interval", "protocol".
const std::vector<std::string>& other_settings();

/// "images_per_class" as "images per class".
std::string words_of(std::string key);
/// A value as tables show it; nothing for null.
std::string plain_text(const Json& value);

/// The values that a setting has, as JSON texts; null does not count.
std::set<std::string> values_of(const Json& rows, const std::string& setting);

/// ", euler" for each of other_settings() in which rows differ.
std::string text_settings(const Json& row, const Json& rows);

}  // namespace dd::report
