// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "support/process.h"

namespace dd::test {

/// Runs the real program; targets that include this are given DD_PROGRAM by their CMakeLists.txt.
inline ProcessResult datadream(std::vector<std::string> arguments,
                               const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), DD_PROGRAM);
  return run_process(arguments, options);
}

/// The names of its commands, as its own help lists them.
inline std::vector<std::string> datadream_commands() {
  const std::string help = datadream({"--help"}).out;
  std::vector<std::string> names;
  std::size_t at = help.find("commands:\n");
  while (at != std::string::npos && (at = help.find('\n', at)) != std::string::npos) {
    ++at;
    if (at >= help.size() || help[at] == '\n') break;
    // Longer explanations go on in lines that are indented further.
    if (help.compare(at, 2, "  ") != 0 || help[at + 2] == ' ') continue;
    // A name may be of two words; two blanks or a line end stand behind it.
    const std::size_t end = std::min(help.find("  ", at + 2), help.find('\n', at + 2));
    names.push_back(help.substr(at + 2, end - at - 2));
  }
  return names;
}

/// True when `text` is one line "datadream: error: …".
inline bool is_one_error_line(const std::string& text) {
  return text.starts_with("datadream: error: ") && text.ends_with("\n") &&
         std::count(text.begin(), text.end(), '\n') == 1;
}

/// Of what ends with a line end: an error stands behind whatever was told before.
inline std::string last_line(std::string text) {
  if (!text.empty()) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace dd::test
