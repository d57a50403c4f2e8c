// SPDX-License-Identifier: Apache-2.0
#include "dd/cli/help.h"

#include <algorithm>
#include <sstream>

#include "dd/tensor/torch_library.h"

namespace dd::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kFlagColumns = 26;

/// A row of the help: the flag, then its explanation, wrapped beside it.
std::string row(const std::string& flag, const std::string& text) {
  std::string out = "  " + flag;
  if (out.size() + 2 > kFlagColumns) {
    out += "\n" + std::string(kFlagColumns, ' ');
  } else {
    out.resize(kFlagColumns, ' ');
  }
  std::size_t column = kFlagColumns;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > kFlagColumns && column + 1 + word.size() > kColumns) {
      out += "\n" + std::string(kFlagColumns, ' ');
      column = kFlagColumns;
    } else if (column > kFlagColumns) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string markdown_table(const std::vector<FieldText>& fields) {
  std::string text = "| option | meaning |\n| --- | --- |\n";
  for (const FieldText& field : fields) {
    std::string flag = field.flag;
    // A bar would end the cell.
    for (std::size_t at = 0; (at = flag.find('|', at)) != std::string::npos; at += 2) {
      flag.replace(at, 1, "\\|");
    }
    text += "| `" + flag + "` | " + sentence(field) + " |\n";
  }
  return text;
}

}  // namespace

const char* const kStatusText =
    "Exit status: 0 done; 1 the work failed; 2 the command line, the configuration or the input "
    "is\n"
    "wrong; 130 stopped by the user, the same command resumes. Results go to standard output, "
    "progress\n"
    "and errors to standard error.\n";

std::vector<FieldText> common_fields(const Command* command) {
  std::vector<FieldText> fields = describe(CommonOptions{});
  fields.insert(fields.begin(),
                {.name = "config",
                 .flag = "--config PATH",
                 .help = "take options from this TOML file; the command line wins"});
  for (FieldText& field : fields) {
    if (field.name == "out" && command != nullptr) field.required = command->info.needs_out;
  }
  return fields;
}

std::string usage(const Command& command) {
  std::string text = "datadream " + command.info.name;
  if (!command.info.positional.empty()) {
    std::string word = command.info.positional;
    for (char& c : word) c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    text += " " + word;
  }
  text += " [OPTION]…";
  if (command.info.needs_out) text += " --out DIR";
  return text;
}

std::string version_text() {
  const TorchLibrary torch = torch_library();
  std::string text = std::string("datadream ") + DATADREAM_VERSION + " (LibTorch " + torch.version;
  if (torch.version != torch.built_with) text += ", built with " + torch.built_with;
  text += ", " + torch.kind + ")";
  if (!torch.libtorch.empty()) text += "\n" + torch.libtorch.string();
  return text;
}

std::string program_help(const std::vector<Command>& commands) {
  std::string text =
      "datadream: from a few labelled photos to a synthetic training set and a classifier\n\n"
      "usage: datadream COMMAND [OPTION]…\n"
      "       datadream COMMAND --help\n"
      "       datadream completion bash|zsh|fish\n"
      "       datadream --version\n\n"
      "commands:\n";
  for (const Command& command : commands) text += row(command.info.name, command.info.summary);
  return text + "\n" + kStatusText;
}

std::string command_help(const Command& command) {
  std::string text = "datadream " + command.info.name + ": " + command.info.summary +
                     "\n\nusage: " + usage(command) + "\n\n";
  if (!command.info.help.empty()) text += command.info.help + "\n\n";
  const std::vector<FieldText> own = describe(*command.options);
  if (!own.empty()) text += "options:\n";
  for (const FieldText& field : own) text += row(field.flag, sentence(field));
  text += own.empty() ? "common options:\n" : "\ncommon options:\n";
  for (const FieldText& field : common_fields(&command)) text += row(field.flag, sentence(field));
  return text;
}

std::string help_markdown(const std::vector<Command>& commands) {
  std::string text =
      "# The command line\n\n"
      "<!-- Written by `make docs` from the program's own help; do not edit. -->\n\n"
      "`datadream COMMAND [OPTION]…`, a command a stage.\n\n" +
      std::string(kStatusText) +
      "\nEvery option can also stand in a TOML file given by `--config FILE`, with underscores "
      "for\n"
      "dashes: at the top of the file, or in a table named like the command (`[data-check]` where "
      "it has\n"
      "two words). The command line wins.\n"
      "What a command ran with is written to `config.toml` in its `--out` folder.\n\n"
      "| command | does |\n| --- | --- |\n";
  for (const Command& command : commands) {
    std::string anchor = command.info.name;
    std::replace(anchor.begin(), anchor.end(), ' ', '-');
    text += "| [`" + command.info.name + "`](#" + anchor + ") | " + command.info.summary + " |\n";
  }
  text += "\n## Common options\n\n" + markdown_table(common_fields(nullptr));
  for (const Command& command : commands) {
    text += "\n## " + command.info.name + "\n\n" + command.info.summary + ".\n\n```\n" +
            usage(command) + "\n```\n\n";
    if (!command.info.help.empty()) text += command.info.help + "\n\n";
    text += markdown_table(describe(*command.options));
  }
  return text;
}

}  // namespace dd::cli
