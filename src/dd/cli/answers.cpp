// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/answers.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "dd/cli/completion.h"
#include "dd/cli/help.h"
#include "dd/cli/man_page.h"
#include "dd/core/error.h"
#include "dd/core/fields.h"

namespace dd::cli {
namespace {

bool is_help_flag(const std::string& word) {
  return word == "--help" || word == "-h";
}

/// `help-markdown` and `help-man` are not in the help: `make docs` writes docs/cli.md with the one,
/// the installation takes the other.
bool is_answer(const std::string& word) {
  constexpr std::array<std::string_view, 5> kWords{"help", "--version", "completion",
                                                   "help-markdown", "help-man"};
  return std::ranges::find(kWords, word) != kWords.end();
}

std::string help_for(const std::vector<std::string>& words, const std::vector<Command>& commands) {
  return words.empty() ? program_help(commands)
                       : command_help(find_command(words, commands).command);
}

}  // namespace

std::vector<std::string> command_names(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.info.name);
  return names;
}

FoundCommand find_command(const std::vector<std::string>& arguments,
                          const std::vector<Command>& commands) {
  const std::vector<std::string> names = command_names(commands);
  std::string asked;
  // A name may be of one word or of two.
  for (std::ptrdiff_t words = 1; words <= std::min<std::ptrdiff_t>(2, std::ssize(arguments));
       ++words) {
    asked += (words == 1 ? "" : " ") + arguments[static_cast<std::size_t>(words - 1)];
    const auto found = std::ranges::find(names, asked);
    if (found != names.end()) {
      return {commands[static_cast<std::size_t>(found - names.begin())], words};
    }
  }
  const std::string& first = arguments.front();
  const auto longer = std::ranges::find_if(
      names, [&](const std::string& name) { return name.starts_with(first + " "); });
  fail_usage(cat("unknown command \"", longer == names.end() ? first : asked, "\"; did you mean ",
                 longer == names.end() ? nearest_name(first, names) : *longer,
                 "? See datadream --help"));
}

bool asks_for_answer(const std::vector<std::string>& arguments) {
  return arguments.empty() || is_answer(arguments.front()) ||
         std::ranges::any_of(arguments, is_help_flag);
}

std::string answer(const std::vector<std::string>& arguments,
                   const std::vector<Command>& commands) {
  if (arguments.empty() || is_help_flag(arguments.front())) return program_help(commands);
  const std::string& first = arguments.front();
  if (first == "help") return help_for({arguments.begin() + 1, arguments.end()}, commands);
  if (first == "--version") return version_text() + "\n";
  if (first == "help-man") return man_page(commands);
  if (first == "help-markdown") return help_markdown(commands);
  if (first != "completion") return help_for(arguments, commands);
  if (arguments.size() != 2) fail_usage("completion takes one word: bash, zsh or fish");
  return completion_script(arguments[1], commands);
}

}  // namespace dd::cli
