// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace dd::report {

/// A whole page: style, contents, the charting library with its licence, and nothing that would be
/// fetched (a content security policy forbids it). `title` is plain text, `head` and the sections
/// are markup; sections that are empty are left out.
std::string page(const std::string& title, const std::string& head,
                 const std::vector<std::string>& sections);

}  // namespace dd::report
