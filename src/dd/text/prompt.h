// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dd {

/// A class folder's name as it reads in a prompt: `_` becomes a space, runs of spaces become one,
/// spaces at the ends go. "T-shirt_top" gives "T-shirt top".
std::string prompt_class_name(std::string_view folder_name);

/// Puts prompt_class_name(class_name) in place of every `{}`: ("a photo of a {}", "ankle_boot")
/// gives "a photo of a ankle boot". Error(kUsage) for a template without `{}`.
std::string fill_template(std::string_view prompt_template, std::string_view class_name);

}  // namespace dd
