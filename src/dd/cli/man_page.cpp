// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/man_page.h"

#include "dd/cli/help.h"

namespace dd::cli {
namespace {

/// Text for troff: backslashes and dashes mean what they show, no line begins with a control
/// character.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool starts_line = out.empty() || out.back() == '\n';
    if (starts_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string option_list(const std::vector<FieldText>& fields) {
  std::string text;
  for (const FieldText& field : fields)
    text += ".TP\n.B " + plain(field.flag) + "\n" + plain(sentence(field)) + "\n";
  return text;
}

/// Help texts keep their line breaks: examples stand on lines of their own.
std::string as_written(const std::string& text) {
  return ".PP\n.nf\n" + plain(text) + "\n.fi\n";
}

std::string section_of(const Command& command) {
  std::string text = ".SS " + plain(command.info.name) + "\n" + plain(command.info.summary) + ".\n";
  text += ".PP\n.B " + plain(usage(command)) + "\n";
  if (!command.info.help.empty()) text += as_written(command.info.help);
  return text + option_list(describe(*command.options));
}

}  // namespace

std::string man_page(const std::vector<Command>& commands) {
  std::string text =
      ".TH DATADREAM 1 \"\" \"datadream " DATADREAM_VERSION
      "\" \"User Commands\"\n"
      ".SH NAME\n"
      "datadream \\- from a few labelled photos to a synthetic training set and a classifier\n"
      ".SH SYNOPSIS\n"
      ".B datadream\nCOMMAND [OPTION]...\n.br\n"
      ".B datadream\nCOMMAND \\-\\-help\n.br\n"
      ".B datadream completion\nbash|zsh|fish\n.br\n"
      ".B datadream \\-\\-version\n"
      ".SH DESCRIPTION\n"
      "A command a stage; each reads and writes plain folders. Every option can also stand in a "
      "TOML file\ngiven by \\-\\-config, with underscores for dashes; the command line wins.\n"
      ".SH COMMANDS\n";
  for (const Command& command : commands) text += section_of(command);
  return text + ".SH COMMON OPTIONS\n" + option_list(common_fields(nullptr)) + ".SH EXIT STATUS\n" +
         plain(kStatusText) +
         ".SH ENVIRONMENT\n"
         ".TP\n.B DATADREAM_ASSETS\n"
         "Folder of the small models that\n.B run\nand\n.B sweep\ntake without \\-\\-model.\n";
}

}  // namespace dd::cli
