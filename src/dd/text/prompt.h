// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dd {

/// A class folder's name as it reads in a prompt: `_` becomes a space, runs of spaces become one,
/// spaces at the ends go. "T-shirt_top" gives "T-shirt top".
std::string prompt_class_name(std::string_view folder_name);

/// Puts prompt_class_name(class_name) in place of every `{}`: ("a photo of a {}", "ankle_boot")
/// gives "a photo of a ankle boot". Error(kUsage) for a template without `{}`.
std::string fill_template(std::string_view prompt_template, std::string_view class_name);

/// Puts a set's domain word in place of every `{domain}`: ("a {domain} photo of a {}", "pet") gives
/// "a pet photo of a {}". An empty word leaves the template without the place and the blank behind
/// it. Error(kUsage) for a template with `{domain}` where there is no word (nothing, rather than an
/// empty one): sets without a name of their own.
std::string fill_domain(std::string_view prompt_template, const std::optional<std::string>& domain);

}  // namespace dd
