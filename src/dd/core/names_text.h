// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace dd {

/// Up to five names in quotes, and how many more there are: for messages.
std::string names_text(std::span<const std::string> names);

}  // namespace dd
