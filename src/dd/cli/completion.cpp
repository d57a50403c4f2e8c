// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/completion.h"

#include <algorithm>

#include "dd/cli/field_text.h"
#include "dd/core/error.h"

namespace dd::cli {
namespace {

/// A flag as shells complete it.
struct Flag {
  std::string word;                    ///< "--mode"
  std::vector<std::string> choices{};  ///< of its value; empty = files, or none at all
  std::string help{};
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<Flag> flags_of(const Command& command) {
  std::vector<FieldText> fields = describe(*command.options);
  const std::vector<FieldText> common = describe(CommonOptions{});
  fields.insert(fields.end(), common.begin(), common.end());
  std::vector<Flag> flags{{.word = "--config", .help = "options from a TOML file"},
                          {.word = "--help", .help = "explain the command"}};
  for (const FieldText& field : fields) {
    Flag flag{.word = "--" + field.name, .help = field.help};
    const std::size_t value = field.flag.find(' ');
    if (value != std::string::npos && field.flag.find('|') != std::string::npos)
      flag.choices = split(field.flag.substr(value + 1), '|');
    flags.push_back(flag);
    if (field.flag.starts_with("--[no-]"))
      flags.push_back({.word = "--no-" + field.name, .help = "not: " + field.help});
  }
  return flags;
}

/// In single quotes. Only texts for fish hold quotes themselves, and only fish knows \' in them.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string first_words(const std::vector<Command>& commands) {
  std::vector<std::string> words{"completion", "help", "--help", "--version"};
  for (const Command& command : commands) {
    const std::string first = split(command.info.name, ' ').front();
    if (std::find(words.begin(), words.end(), first) == words.end()) words.push_back(first);
  }
  return joined(words);
}

std::string bash_script(const std::vector<Command>& commands) {
  std::string text =
      "_datadream_words() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} list=\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W " +
      quoted(first_words(commands)) +
      " -- \"$word\"))\n    return\n  fi\n"
      "  case \"${COMP_WORDS[1]}\" in\n"
      "    completion) list='bash zsh fish' ;;\n";
  for (const Command& command : commands) {
    const std::vector<std::string> name = split(command.info.name, ' ');
    text += "    " + name.front() + ")\n";
    if (name.size() > 1)
      text += "      [ \"$COMP_CWORD\" = 2 ] && list=" + quoted(name.back()) + "\n";
    text += "      case \"$before\" in\n";
    std::vector<std::string> words;
    for (const Flag& flag : flags_of(command)) {
      words.push_back(flag.word);
      if (!flag.choices.empty())
        text += "        " + flag.word + ") list=" + quoted(joined(flag.choices)) + " ;;\n";
    }
    text += "        *) case \"$word\" in -*) list=" + quoted(joined(words)) + " ;; esac ;;\n" +
            "      esac ;;\n";
  }
  // Without an answer of its own bash completes file names.
  return text +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$list\" -- \"$word\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _datadream_words datadream\n";
}

std::string fish_script(const std::vector<Command>& commands) {
  std::string text = "complete -c datadream -n __fish_use_subcommand -a " +
                     quoted(first_words(commands)) +
                     "\ncomplete -c datadream -f -n '__fish_seen_subcommand_from completion' -a "
                     "'bash zsh fish'\n";
  for (const Command& command : commands) {
    const std::vector<std::string> name = split(command.info.name, ' ');
    const std::string when = " -n " + quoted("__fish_seen_subcommand_from " + name.front());
    if (name.size() > 1)
      text += "complete -c datadream" + when + " -a " + quoted(name.back()) + "\n";
    for (const Flag& flag : flags_of(command)) {
      text += "complete -c datadream" + when + " -l " + flag.word.substr(2);
      if (!flag.choices.empty()) text += " -xa " + quoted(joined(flag.choices));
      text += " -d " + quoted(flag.help) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const std::string& shell, const std::vector<Command>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "fish") return fish_script(commands);
  // zsh runs bash's functions by itself. As a file on its path it is read at the first use, which
  // then is to be answered too.
  if (shell == "zsh") {
    return "#compdef datadream\nautoload -U +X bashcompinit && bashcompinit\n" +
           bash_script(commands) +
           "if [[ ${funcstack[1]} == _datadream ]]; then\n"
           "  _bash_complete -o bashdefault -o default -F _datadream_words\n"
           "fi\n";
  }
  fail_usage(cat("no completion for \"", shell, "\"; give bash, zsh or fish"));
}

}  // namespace dd::cli
