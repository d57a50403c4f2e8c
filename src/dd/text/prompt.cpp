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

namespace {

/// "{word}" where the template has one, which nobody would fill in; empty where it has none.
std::string_view unknown_place(std::string_view prompt_template) {
  for (std::size_t at = 0; (at = prompt_template.find('{', at)) != prompt_template.npos; ++at) {
    const std::string_view rest = prompt_template.substr(at);
    const std::size_t end = rest.find_first_of("{}", 1);
    if (end != rest.npos && end > 1 && rest[end] == '}') return rest.substr(0, end + 1);
  }
  return {};
}

}  // namespace

std::string fill_template(std::string_view prompt_template, std::string_view class_name) {
  constexpr std::string_view kPlace = "{}";
  if (prompt_template.find(kPlace) == prompt_template.npos) {
    fail_usage(
        cat("the template \"", prompt_template,
            "\" has no {} where the class name goes; write for example \"a photo of a {}\""));
  }
  if (const std::string_view place = unknown_place(prompt_template); !place.empty()) {
    fail_usage(cat("the template \"", prompt_template, "\" has ", place,
                   ", which stands for nothing; the class name goes where {} stands"));
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
