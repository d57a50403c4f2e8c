// SPDX-License-Identifier: Apache-2.0
#include "dd/text/prompt.h"

#include "dd/core/error.h"

namespace dd {

std::string prompt_class_name(std::string_view folder_name) {
  std::string result;
  for (const char c : folder_name) {
    if (c != '_' && c != ' ') {
      result.push_back(c);
    } else if (!result.empty() && result.back() != ' ') {
      result.push_back(' ');
    }
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

std::string fill_template(std::string_view prompt_template, std::string_view class_name) {
  constexpr std::string_view kPlace = "{}";
  if (prompt_template.find(kPlace) == prompt_template.npos) {
    fail_usage(
        cat("the template \"", prompt_template,
            "\" has no {} where the class name goes; write for example \"a photo of a {}\""));
  }
  const std::string name = prompt_class_name(class_name);
  std::string result;
  for (std::size_t place; (place = prompt_template.find(kPlace)) != prompt_template.npos;) {
    result.append(prompt_template.substr(0, place)).append(name);
    prompt_template.remove_prefix(place + kPlace.size());
  }
  return result.append(prompt_template);
}

std::string fill_domain(std::string_view prompt_template,
                        const std::optional<std::string>& domain) {
  constexpr std::string_view kPlace = "{domain}";
  std::string result;
  for (std::size_t place; (place = prompt_template.find(kPlace)) != prompt_template.npos;) {
    if (!domain) {
      fail_usage(cat("the template \"", prompt_template,
                     "\" has {domain}, which only known data sets have a word for; write the word ",
                     "itself, for example \"a pet photo of a {}\""));
    }
    result.append(prompt_template.substr(0, place)).append(*domain);
    prompt_template.remove_prefix(place + kPlace.size());
    if (domain->empty() && prompt_template.starts_with(' ')) prompt_template.remove_prefix(1);
  }
  return result.append(prompt_template);
}

}  // namespace dd
